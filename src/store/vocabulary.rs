//! The search parameters that the store defines itself. Each change of them begins a new epoch, and what is indexed in another
//! epoch than the present one is not written: whoever prepared it does so again. So there is no instance that lacks the entries
//! of a parameter that was there when it was written.
//!
//! With SQLite there is one writer, and what it reads stays so until its transaction ends. With PostgreSQL every writing
//! transaction holds the table of the parameters in a mode that many may share; whoever changes them waits until those end, and
//! holds off others until the new epoch is there.

use diesel::result::QueryResult;

use super::commit::Refusal;
use super::connection::Connection;
use super::statement::{Statement, Value};
use crate::fhir::ResourceType;
use crate::search::index::Epoch;
use crate::search::vocabulary::{OwnParameter, ParameterState, Vocabulary, VocabularyChange};

/// Under this name the epoch is kept, as eight bytes; none: the first.
const EPOCH: &str = "parameters";

const SELECT_EPOCH: &str = "SELECT value FROM setting WHERE name = ?";

const SET_EPOCH: &str = "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

const SELECT_PARAMETERS: &str = "SELECT definition, state, since FROM parameter ORDER BY id";

const PUT: &str = "INSERT INTO parameter (id, state, since, definition) VALUES (?, ?, ?, ?) \
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, since = excluded.since, definition = excluded.definition";

const RETIRE: &str = "UPDATE parameter SET state = ?, since = ? WHERE id = ?";

const SETTLE: &str = "UPDATE parameter SET state = ? WHERE id = ?";

const FORGET: &str = "DELETE FROM parameter WHERE id = ?";

const IS_THERE: &str = "SELECT 1 FROM instance WHERE kind = ? AND body IS NOT NULL LIMIT 1";

/// The present epoch.
pub(super) fn epoch(connection: &mut Connection) -> QueryResult<Epoch> {
    let kept = connection.first(&Statement::new(SELECT_EPOCH).bind(EPOCH), |row| row.optional_binary(0))?;
    let number = kept.flatten().and_then(|bytes| Some(i64::from_be_bytes(bytes.try_into().ok()?)));
    Ok(Epoch(number.unwrap_or_default()))
}

/// Everything there is, as it is at one moment.
pub(super) fn read(connection: &mut Connection) -> QueryResult<Vocabulary> {
    connection.together(within)
}

/// The same, in the transaction that is under way.
pub(super) fn within(connection: &mut Connection) -> QueryResult<Vocabulary> {
    let epoch = epoch(connection)?;
    let parameters = connection.load(&Statement::new(SELECT_PARAMETERS), |row| {
        Ok(OwnParameter::read(&row.text(0)?, row.smallint(1)?, Epoch(row.bigint(2)?)))
    })?;
    Ok(Vocabulary { epoch, parameters: parameters.into_iter().flatten().collect() })
}

/// Writes what becomes of the parameters, once everything else of the same change is written.
pub(super) fn write(connection: &mut Connection, change: &VocabularyChange) -> Result<(), Refusal> {
    alone(connection)?;
    if epoch(connection)? != change.from {
        return Err(Refusal::Outdated);
    }
    let next = begin(connection, change.from)?;
    for parameter in &change.put {
        let is_new = parameter.state == ParameterState::Pending;
        let state = if is_new && !has_instances(connection, parameter)? { ParameterState::Settled } else { parameter.state };
        let since = if is_new { next } else { parameter.since };
        let statement = Statement::new(PUT).bind(parameter.number().0).bind(state.code()).bind(since.0);
        connection.execute(&statement.bind(parameter.definition()))?;
    }
    for number in &change.retired {
        connection.execute(&Statement::new(RETIRE).bind(ParameterState::Retired.code()).bind(next.0).bind(number.0))?;
    }
    Ok(())
}

/// Notes that all instances of `kinds` are indexed by the parameters of `epoch`.
pub(super) fn settle(connection: &mut Connection, epoch: Epoch, kinds: &[ResourceType]) -> QueryResult<()> {
    alone(connection)?;
    let vocabulary = within(connection)?;
    let is_done = |parameter: &&OwnParameter| parameter.since <= epoch && parameter.kinds().all(|kind| kinds.contains(&kind));
    let done: Vec<&OwnParameter> =
        vocabulary.parameters.iter().filter(is_done).filter(|parameter| parameter.state != ParameterState::Settled).collect();
    for parameter in &done {
        let number = parameter.number().0;
        connection.execute(&match parameter.state {
            ParameterState::Pending => Statement::new(SETTLE).bind(ParameterState::Settled.code()).bind(number),
            ParameterState::Settled | ParameterState::Retired => Statement::new(FORGET).bind(number),
        })?;
    }
    if !done.is_empty() {
        begin(connection, vocabulary.epoch)?;
    }
    Ok(())
}

/// Waits until nobody writes, and lets nobody write until the transaction ends.
fn alone(connection: &mut Connection) -> QueryResult<()> {
    match connection.dialect().hold_parameters() {
        Some(text) => connection.batch(text),
        None => Ok(()),
    }
}

fn begin(connection: &mut Connection, present: Epoch) -> QueryResult<Epoch> {
    let next = Epoch(present.0 + 1);
    let bytes = next.0.to_be_bytes().to_vec();
    connection.execute(&Statement::new(SET_EPOCH).bind(EPOCH).bind(Value::from(bytes)))?;
    Ok(next)
}

/// Whether there is an instance that the parameter could find.
fn has_instances(connection: &mut Connection, parameter: &OwnParameter) -> QueryResult<bool> {
    for kind in parameter.kinds() {
        let statement = Statement::new(IS_THERE).bind(kind.code());
        if connection.first(&statement, |row| row.integer(0))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
