//! The contract of the store, held against every back end.

mod bed;
mod bucket;
mod content;
mod histories;
mod lasting;
mod linking;
mod limited;
mod meaning;
mod premises;
mod reading;
mod recent;
mod searching;
mod sorting;
mod tables;
mod writing;

/// Each test on each back end: `name::sqlite`, `name::postgres`.
macro_rules! on_each_back_end {
    ($(async fn $name:ident($bed:ident: &Bed) $body:block)+) => {
        $(mod $name {
            use super::*;

            async fn contract($bed: &Bed) $body

            #[tokio::test]
            async fn sqlite() {
                contract(&Bed::sqlite()).await;
            }

            #[tokio::test]
            #[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
            async fn postgres() {
                contract(&Bed::postgres()).await;
            }
        })+
    };
}
use on_each_back_end;
