//! history of an instance: `GET [base]/[type]/[id]/_history` (R4 http.html §history), newest first, deletions included.

use super::bundle::{Bundle, EntryResponse};
use super::parameters::push_query;
use super::{Call, Response, read};
use crate::fhir::date::PartialDate;
use crate::fhir::{InstanceId, ResourceType, VersionId};
use crate::outcome::{Failure, Kind, Outcome};
use crate::store::change::Method;
use crate::store::{Stored, Stretch};

/// What the query of a history asks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    /// `_count`
    count: u32,
    /// `_since`, in microseconds: this moment and later.
    since: Option<i64>,
    /// The page begins below this version.
    before: Option<VersionId>,
}

/// The parameter of our own `next` links.
const BEFORE: &str = "_before";

pub(super) async fn history(call: &Call<'_>) -> Outcome<Response> {
    let (kind, id) = call.request.instance()?;
    call.refuse_parameters(&["_count", "_since", BEFORE])?;
    let asked = Asked::read(call)?;
    // One more than asked tells whether there is a next page.
    let stretch = Stretch { count: asked.count.saturating_add(1), before: asked.before };
    let mut versions = call.engine.store.history(call.access, kind, id, stretch).await?;
    let Some(part) = versions.first().map(|stored| stored.key.part) else {
        return Err(read::absent());
    };
    versions.retain(|stored| asked.since.is_none_or(|since| stored.updated.micros() >= since));
    let has_more = versions.len() > asked.count as usize;
    versions.truncate(asked.count as usize);
    let page = Page { call, kind, id, asked: &asked, versions: &versions, has_more };
    Ok(Response { part: Some(part), ..Response::of(page.bundle()?.finish()) })
}

impl Asked {
    fn read(call: &Call<'_>) -> Outcome<Self> {
        let limits = &call.engine.limits;
        let mut asked = Self { count: limits.page_resources, since: None, before: None };
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in &call.request.parameters {
            if seen.contains(&name.as_str()) {
                return Err(invalid(name, "is given more than once"));
            }
            seen.push(name);
            match name.as_str() {
                "_count" => {
                    let count: u32 = value.parse().map_err(|_| invalid(name, "is not a whole number"))?;
                    asked.count = count.min(limits.page_max_resources);
                }
                "_since" => asked.since = Some(moment(value).ok_or_else(|| invalid(name, "is not an instant"))?),
                BEFORE => asked.before = Some(value.parse().map_err(|_| invalid(name, "is not one of this server"))?),
                _ => {}
            }
        }
        Ok(asked)
    }
}

fn moment(value: &str) -> Option<i64> {
    PartialDate::parse(value).ok().map(|date| date.range(chrono_tz::UTC).0)
}

fn invalid(name: &str, what: &str) -> Failure {
    Failure::new(Kind::InvalidParameter, format!("{name} {what}")).at(format!("http.{name}"))
}

struct Page<'a> {
    call: &'a Call<'a>,
    kind: ResourceType,
    id: &'a InstanceId,
    asked: &'a Asked,
    versions: &'a [Stored],
    has_more: bool,
}

impl Page<'_> {
    fn bundle(&self) -> Outcome<Bundle> {
        let mut bundle = Bundle::new("history", self.call.engine.context.now());
        // Versions are numbered without gaps, so the newest number is how many there are.
        if let (None, None, Some(newest)) = (self.asked.since, self.asked.before, self.versions.first()) {
            bundle.total(newest.version.0.unsigned_abs());
        }
        let this = self.url(self.asked.before);
        let next = self.versions.last().filter(|_| self.has_more).map(|last| self.url(Some(last.version)));
        let links: Vec<(&str, &str)> =
            std::iter::once(("self", this.as_str())).chain(next.as_deref().map(|url| ("next", url))).collect();
        bundle.links(&links);
        for stored in self.versions {
            self.push(&mut bundle, stored)?;
        }
        Ok(bundle)
    }

    fn url(&self, before: Option<VersionId>) -> String {
        let mut url = format!("{}/{}/{}/_history", self.call.engine.base_url, self.kind, self.id);
        let since = self.call.request.parameters.iter().filter(|(name, _)| name == "_since").cloned();
        let mut parameters = vec![(String::from("_count"), self.asked.count.to_string())];
        parameters.extend(since);
        parameters.extend(before.map(|before| (String::from(BEFORE), before.to_string())));
        push_query(&mut url, &parameters);
        url
    }

    fn push(&self, bundle: &mut Bundle, stored: &Stored) -> Outcome<()> {
        let path = format!("{}/{}", self.kind, self.id);
        let full_url = format!("{}/{path}", self.call.engine.base_url);
        let text = stored.text()?;
        let mut entry = bundle.entry(text.as_ref().map_or(0, |text| text.json().len())).full_url(&full_url);
        if let Some(text) = &text {
            entry = entry.resource(text);
        }
        let (url, status) = match stored.method {
            Method::Post => (self.kind.name(), "201 Created"),
            Method::Put if stored.version == VersionId::FIRST => (path.as_str(), "201 Created"),
            Method::Put | Method::Patch => (path.as_str(), "200 OK"),
            Method::Delete => (path.as_str(), "204 No Content"),
        };
        let response =
            EntryResponse { status, location: None, version: Some(stored.version), updated: Some(stored.updated), outcome: None };
        entry.request(stored.method.verb(), url).response(&response).end();
        Ok(())
    }
}
