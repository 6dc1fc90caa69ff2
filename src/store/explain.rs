//! What a search costs: every statement it says to the database, carried out, and the database's own plan of it.
//!
//! Values are not shown: the text of a statement has none, but a server of PostgreSQL names in its plan what was compared.

use std::time::Duration;

use diesel::result::QueryResult;

use super::connection::Connection;
use super::dialect::Dialect;
use super::query;
use super::statement::Statement;
use super::{Page, Store};
use crate::dossier::Access;
use crate::outcome::Outcome;
use crate::search::plan::Plan;

/// A statement of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Its text, with `?` where a value goes.
    pub text: String,
    /// How many values it has.
    pub values: usize,
    /// How many rows it gave.
    pub rows: usize,
    /// How long that took.
    pub took: Duration,
    /// The steps of the machine that carried it out, where the database counts them (SQLite).
    pub steps: Option<u64>,
    /// The database's own plan, line by line; of a server, carried out once more, with the rows and pages each part looked at.
    pub plan: Vec<String>,
}

impl Store {
    /// Carries `plan` out as [`search`](Self::search) does without what is kept in memory; the page, and everything that was said to the
    /// database for it.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn explain(&self, access: &Access, plan: Plan) -> Outcome<(Page, Vec<Said>)> {
        let access = access.clone();
        let answer = self.ask(move |connection| {
            connection.watch();
            let page = query::search(connection, &access, &plan);
            let said = connection.watched();
            Ok(page?.map(|page| (page, said)))
        });
        answer.await?
    }
}

/// What the database means to do for `statement`.
pub(super) fn plan_of(connection: &mut Connection, statement: &Statement<'_>) -> QueryResult<Vec<String>> {
    let (how, column) = match connection.dialect() {
        Dialect::Sqlite => ("EXPLAIN QUERY PLAN ", 3),
        Dialect::Postgres => ("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) ", 0),
    };
    let explained = Statement::composed(format!("{how}{}", statement.text()), statement.values().to_vec()).once();
    connection.load(&explained, |row| row.text(column))
}
