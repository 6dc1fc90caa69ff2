//! The interactions of the RESTful API (`http://hl7.org/fhir/restful-interaction`). Routes, the log, the journal and the
//! CapabilityStatement take their names from here.

use std::fmt;

pub use crate::audit::Action;

macro_rules! interactions {
    ($($variant:ident = $code:literal, $action:ident;)+) => {
        /// A code of `http://hl7.org/fhir/restful-interaction`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each variant is a code of the standard")]
        pub enum Interaction { $($variant,)+ }

        impl Interaction {
            /// Every interaction; one stands at the place that its number (`as usize`) says.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code as the standard writes it.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What it does to a record (R4 `AuditEvent.action`).
            pub const fn action(self) -> Action {
                match self { $(Self::$variant => Action::$action,)+ }
            }
        }
    };
}

interactions! {
    Read = "read", Read;
    Vread = "vread", Read;
    Update = "update", Update;
    Patch = "patch", Update;
    Delete = "delete", Delete;
    HistoryInstance = "history-instance", Read;
    HistoryType = "history-type", Read;
    HistorySystem = "history-system", Read;
    Create = "create", Create;
    SearchType = "search-type", Execute;
    SearchSystem = "search-system", Execute;
    Capabilities = "capabilities", Execute;
    Transaction = "transaction", Execute;
    Batch = "batch", Execute;
    Operation = "operation", Execute;
}

impl fmt::Display for Interaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
