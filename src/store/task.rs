//! What was asked to be answered later (`Prefer: respond-async`): what is asked, how far it is, and what was found so far. It outlives
//! the server that works at it: each step is written with what it found, so another one goes on where it was.

use bytes::Bytes;
use diesel::result::QueryResult;
use serde::{Deserialize, Serialize};

use super::Store;
use super::change::Change;
use super::commit::{CommitFailure, Refusal};
use super::connection::Connection;
use super::statement::Statement;
use crate::outcome::{Failure, Outcome};

const SELECT: &str = "SELECT state FROM task WHERE id = ?";
const SELECT_ALL: &str = "SELECT state FROM task ORDER BY id";
const SELECT_OUTPUT: &str = "SELECT body FROM task_output WHERE id = ? AND page = ?";
const INSERT: &str = "INSERT INTO task (id, expires, state) VALUES (?, ?, ?)";
const UPDATE: &str = "UPDATE task SET state = ? WHERE id = ? AND state = ?";
const INSERT_OUTPUT: &str = "INSERT INTO task_output (id, page, body) VALUES (?, ?, ?)";
const DELETE: &str = "DELETE FROM task WHERE id = ?";
const DELETE_OUTPUT: &str = "DELETE FROM task_output WHERE id = ?";

/// Something to be done and answered later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its name.
    pub id: String,
    /// Who asked.
    pub asker: String,
    /// What is asked, in words that the store does not read.
    pub request: String,
    /// When it was asked, and until when it is kept, in microseconds.
    pub begun: i64,
    /// When it is forgotten.
    pub expires: i64,
    /// Who worked at it last, and when.
    pub worker: u64,
    /// When that was.
    pub touched: i64,
    /// Where it goes on; `None`: it was not begun.
    pub cursor: Option<String>,
    /// What each page of output holds: a type, and how many.
    pub output: Vec<(String, u64)>,
    /// How it ended.
    pub end: Option<End>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Everything is there.
    Done,
    /// It was refused: status and what was said of it.
    Refused(u16, String),
}

impl Task {
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What becomes of a task.
#[derive(Clone, Debug)]
pub(super) struct TaskStep {
    id: String,
    /// As it was read; `None`: it is new.
    before: Option<String>,
    /// `None`: it is forgotten.
    after: Option<Task>,
    /// The pages that are new.
    pages: Vec<Bytes>,
}

/// Writes `step`.
pub(super) fn write(connection: &mut Connection, step: &TaskStep) -> Result<(), Refusal> {
    let id = step.id.as_str();
    let Some(after) = &step.after else {
        connection.execute(&Statement::new(DELETE_OUTPUT).bind(id))?;
        connection.execute(&Statement::new(DELETE).bind(id))?;
        return Ok(());
    };
    let text = after.text();
    let written = match &step.before {
        None => connection.execute(&Statement::new(INSERT).bind(id).bind(after.expires).bind(text.as_str()))?,
        Some(before) => connection.execute(&Statement::new(UPDATE).bind(text.as_str()).bind(id).bind(before.as_str()))?,
    };
    if written == 0 {
        return Err(Refusal::Stale(0));
    }
    let first = after.output.len().saturating_sub(step.pages.len());
    for (page, body) in step.pages.iter().enumerate() {
        let page = i32::try_from(first + page).unwrap_or(i32::MAX);
        connection.execute(&Statement::new(INSERT_OUTPUT).bind(id).bind(page).bind(&**body))?;
    }
    Ok(())
}

/// Whether `step` was written already.
pub(super) fn is_written(connection: &mut Connection, step: &TaskStep) -> QueryResult<bool> {
    let there = connection.first(&Statement::new(SELECT).bind(step.id.as_str()), |row| row.text(0))?;
    Ok(there == step.after.as_ref().map(Task::text))
}

impl Store {
    /// The task called `id`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn task(&self, id: &str) -> Outcome<Option<Task>> {
        let id = id.to_owned();
        let text =
            self.ask(move |connection| connection.first(&Statement::new(SELECT).bind(id.as_str()), |row| row.text(0))).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Every task there is.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn tasks(&self) -> Outcome<Vec<Task>> {
        let texts = self.ask(|connection| connection.load(&Statement::new(SELECT_ALL), |row| row.text(0))).await?;
        Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// A page of what a task found.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn task_output(&self, id: &str, page: i32) -> Outcome<Option<Bytes>> {
        let id = id.to_owned();
        let body = self
            .ask(move |connection| {
                let statement = Statement::new(SELECT_OUTPUT).bind(id.as_str()).bind(page);
                connection.first(&statement, |row| row.optional_binary(0))
            })
            .await?;
        Ok(body.flatten().map(Bytes::from))
    }

    /// Takes in a new task.
    ///
    /// # Errors
    /// The database is away.
    pub async fn begin_task(&self, task: Task) -> Outcome<()> {
        self.step_task(TaskStep { id: task.id.clone(), before: None, after: Some(task), pages: Vec::new() }).await.map(drop)
    }

    /// Says how far a task is, with the `pages` it found since; `false`: it is no longer `before`.
    ///
    /// # Errors
    /// The database is away.
    pub async fn advance_task(&self, before: &Task, after: Task, pages: Vec<Bytes>) -> Outcome<bool> {
        self.step_task(TaskStep { id: after.id.clone(), before: Some(before.text()), after: Some(after), pages }).await
    }

    /// Forgets a task and what it found.
    ///
    /// # Errors
    /// The database is away.
    pub async fn forget_task(&self, id: &str) -> Outcome<()> {
        self.step_task(TaskStep { id: id.to_owned(), before: None, after: None, pages: Vec::new() }).await.map(drop)
    }

    async fn step_task(&self, step: TaskStep) -> Outcome<bool> {
        match self.write(Change::of_task(step)).await {
            Ok(()) => Ok(true),
            Err(CommitFailure::Stale(_)) => Ok(false),
            Err(CommitFailure::Failed(failure)) => Err(failure),
            Err(CommitFailure::Unmet | CommitFailure::Swept | CommitFailure::Outdated) => {
                Err(Failure::fault("a task takes nothing for granted"))
            }
        }
    }
}
