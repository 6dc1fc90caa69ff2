//! What a search costs, for whoever runs the server: nothing is answered of what it finds but how many there are.

use super::search::planned;
use super::{Call, Engine, Interaction, Place, Request, Verb, read_parameters};
use crate::dossier;
use crate::outcome::{Failure, Kind, Outcome};
use crate::security::Principal;
use crate::store::Said;

/// What a search costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// How many matches its first page has.
    pub matches: usize,
    /// How many there are in all, where the search asks for it.
    pub total: Option<u64>,
    /// Every statement that was said to the database, in order.
    pub said: Vec<Said>,
}

impl Engine {
    /// Carries out `search`, such as `DocumentReference?patient=p1`, for whoever may use the store itself, and tells what it costs.
    ///
    /// # Errors
    /// Whatever a search is refused for; 400 for what is none.
    pub async fn explain(&self, search: &str) -> Outcome<Explained> {
        let (path, query) = search.split_once('?').unwrap_or((search, ""));
        let place = Place::read(path)?;
        let interaction = place.interaction(Verb::Get)?;
        if !matches!(interaction, Interaction::SearchType | Interaction::SearchSystem) {
            return Err(Failure::new(
                Kind::InvalidParameter,
                "this is no search: it begins with a type, such as `Patient?name=…`",
            ));
        }
        let mut request = Request::new(interaction, self.context().request_id());
        place.tell(&mut request);
        request.parameters = read_parameters(query.as_bytes())?;
        let (principal, access) = (Principal::Open, dossier::decide(&Principal::Open)?);
        let call = Call { engine: self, principal: &principal, access: &access, request: &request };
        let (_, plan) = planned(&call)?;
        let (page, said) = self.store.explain(&access, plan).await?;
        Ok(Explained { matches: page.matches.len(), total: page.total, said })
    }
}
