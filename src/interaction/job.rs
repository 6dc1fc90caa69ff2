//! What is answered later (R4 async.html): `Prefer: respond-async` makes a task of a search, of `$everything` and of a Bundle. It is
//! told at `[base]/$job?id=…` how far it is, and once it is done where its pages are; `DELETE` there forgets it. Nobody but who
//! asked learns of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::Call;
use super::engine::told_or_after_a_while;
use super::operation::Input;
use super::response::{Applied, Body, Later};
use super::{
    Content, Data, Engine, Format, Interaction, Operation, Prefer, Request, Response, Status, execute, fill, read_parameters,
    search,
};
use crate::definition::Compartment;
use crate::fhir::json::{Node, Tree};
use crate::fhir::{Instant, ResourceType};
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::query::PAGE_PARAMETER;
use crate::search::{Handling, Within};
use crate::security::Principal;
use crate::store::{End, Task};

/// A server that took no step for so long has left a task to others.
const LEASE_MICROS: i64 = 30_000_000;

/// Whether `request` asks for an answer later, and may.
pub(super) fn is_later(request: &Request) -> bool {
    let may_be = match request.interaction {
        Interaction::SearchType | Interaction::SearchSystem | Interaction::Batch | Interaction::Transaction => true,
        Interaction::Operation => request.operation == Some(Operation::Everything),
        _ => false,
    };
    request.prefer.is_later && may_be
}

/// Takes the request in; whoever asked is told where to ask how far it is. What is refused at once is refused now.
pub(super) async fn begin(call: &Call<'_>) -> Outcome<Response> {
    match (call.request.interaction, call.request.operation) {
        (Interaction::SearchType | Interaction::SearchSystem, _) => drop(search::planned(call)?),
        (_, Some(operation)) => drop(Input::read(call, operation.definition())?),
        _ => {}
    }
    let engine = call.engine;
    let now = engine.context.now();
    let task = Task {
        id: engine.context.uuid(),
        asker: call.principal.name().to_owned(),
        request: Asked::of(call.request)?.text()?,
        begun: now.micros(),
        expires: now.after_seconds(engine.limits.async_seconds).micros(),
        worker: 0,
        touched: 0,
        cursor: None,
        output: Vec::new(),
        end: None,
    };
    let url = url(engine, &task.id, None);
    engine.store.begin_task(task).await?;
    engine.tasks.notify_one();
    let applied = Applied { is_later: true, ..Applied::default() };
    Ok(Response { later: Some(Later::At(url)), applied, ..Response::empty(Status::Accepted) })
}

/// `[base]/$job?id=…`: how far it is, or where its pages are; with `page`, one of them.
pub(super) async fn job(call: &Call<'_>, input: &Input) -> Outcome<Response> {
    let task = own(call, input.one("id").unwrap_or_default()).await?;
    match (&task.end, input.one("page")) {
        (Some(End::Done), Some(page)) => {
            let page = page.parse().map_err(|_| absent())?;
            let lines = call.engine.store.task_output(&task.id, page).await?.ok_or_else(absent)?;
            Ok(Response { body: Body::Lines { text: lines.into(), links: Vec::new() }, ..Response::empty(Status::Ok) })
        }
        (Some(End::Done), None) => manifest(call.engine, &task),
        (Some(End::Refused(status, said)), _) => Err(Failure::new(kind_of(*status), said.clone())),
        (None, _) => {
            let found: u64 = task.output.iter().map(|(_, count)| count).sum();
            let progress =
                if task.cursor.is_none() { "waiting".to_owned() } else { format!("in progress, {found} resources found") };
            Ok(Response { later: Some(Later::Progress(progress)), ..Response::empty(Status::Accepted) })
        }
    }
}

/// `DELETE [base]/$job?id=…`: what is being done is stopped, what was found is thrown away.
pub(super) async fn delete(call: &Call<'_>) -> Outcome<Response> {
    let task = own(call, call.request.parameter("id").unwrap_or_default()).await?;
    call.engine.store.forget_task(&task.id).await?;
    Ok(Response::empty(Status::Accepted))
}

async fn own(call: &Call<'_>, id: &str) -> Outcome<Task> {
    let task = call.engine.store.task(id).await?;
    let now = call.engine.context.now().micros();
    task.filter(|task| task.asker == call.principal.name() && task.expires >= now).ok_or_else(absent)
}

fn absent() -> Failure {
    Failure::new(Kind::Absent, "there is no such job")
}

fn kind_of(status: u16) -> Kind {
    match status {
        400 => Kind::InvalidParameter,
        404 => Kind::Absent,
        410 => Kind::Deleted,
        412 => Kind::MultipleMatches,
        413 => Kind::TooLarge,
        422 => Kind::Invalid,
        503 => Kind::Unavailable,
        _ => Kind::Fault,
    }
}

fn url(engine: &Engine, id: &str, page: Option<usize>) -> String {
    let page = page.map(|page| format!("&page={page}")).unwrap_or_default();
    format!("{}/$job?id={id}{page}", engine.base_url)
}

fn manifest(engine: &Engine, task: &Task) -> Outcome<Response> {
    let asked: Asked = serde_json::from_str(&task.request).map_err(Failure::fault)?;
    let output = task
        .output
        .iter()
        .enumerate()
        .map(|(page, (kind, count))| json!({"type": kind, "url": url(engine, &task.id, Some(page)), "count": count}));
    let manifest = json!({
        "transactionTime": Instant::from_micros(task.begun).to_string(),
        "request": asked.request(None)?.url(&engine.base_url, &asked.parameters),
        "requiresAccessToken": false,
        "output": output.collect::<Vec<Value>>(),
        "error": [],
    });
    let body = Body::Content {
        content_type: "application/json".into(),
        security_context: None,
        data: Data::Whole(Bytes::from(manifest.to_string())),
    };
    let later = Some(Later::Until(Instant::from_micros(task.expires)));
    Ok(Response { later, body, ..Response::empty(Status::Ok) })
}

/// A request as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    interaction: String,
    kind: Option<String>,
    within: Option<(String, String)>,
    id: Option<String>,
    is_everything: bool,
    parameters: Vec<(String, String)>,
    body: Option<String>,
    is_lenient: bool,
    request_id: String,
}

impl Asked {
    fn of(request: &Request) -> Outcome<Self> {
        let text = |content: &Content| String::from_utf8(content.bytes.to_vec()).map_err(Failure::fault);
        let kept = |name: &str| !matches!(name, "_format" | "_pretty" | PAGE_PARAMETER);
        Ok(Self {
            interaction: request.interaction.code().to_owned(),
            kind: request.kind.map(|kind| kind.name().to_owned()),
            within: request.within.as_ref().map(|within| (within.compartment.focus().name().to_owned(), within.id.to_string())),
            id: request.id.as_ref().map(ToString::to_string),
            is_everything: request.operation == Some(Operation::Everything),
            parameters: request.parameters.iter().filter(|(name, _)| kept(name)).cloned().collect(),
            body: request.body.as_ref().filter(|content| !content.is_empty()).map(text).transpose()?,
            is_lenient: request.prefer.handling == Some(Handling::Lenient),
            request_id: request.request_id.to_string(),
        })
    }

    fn text(&self) -> Outcome<String> {
        serde_json::to_string(self).map_err(Failure::fault)
    }

    /// What is asked for; of what comes in pages, one of them.
    fn request(&self, page: Option<(u32, &str)>) -> Outcome<Request> {
        let unknown = || Failure::fault("a task that asks for what there is not");
        let interaction = Interaction::ALL.iter().find(|one| one.code() == self.interaction).ok_or_else(unknown)?;
        let mut request = Request::new(*interaction, self.request_id.clone());
        request.kind = self.kind.as_deref().map(str::parse).transpose().map_err(|_| unknown())?;
        request.id = self.id.as_deref().map(str::parse).transpose().map_err(|_| unknown())?;
        request.within = self.within.as_ref().map(|(focus, id)| within(focus, id).ok_or_else(unknown)).transpose()?;
        request.operation = self.is_everything.then_some(Operation::Everything);
        request.prefer = Prefer { handling: self.is_lenient.then_some(Handling::Lenient), ..Prefer::default() };
        request.body = self.body.as_ref().map(|text| Content::of(Bytes::from(text.clone()), Format::Entry));
        request.parameters = self.parameters.clone();
        if let Some((count, token)) = page {
            request.parameters.retain(|(name, _)| name != "_count");
            request.parameters.push(("_count".to_owned(), count.to_string()));
            let token = Some(token).filter(|token| !token.is_empty());
            request.parameters.extend(token.map(|token| (PAGE_PARAMETER.to_owned(), token.to_owned())));
        }
        Ok(request)
    }

    fn is_paged(&self) -> bool {
        ![Interaction::Batch, Interaction::Transaction].iter().any(|one| one.code() == self.interaction)
    }
}

fn within(focus: &str, id: &str) -> Option<Within> {
    let compartment = Compartment::ALL.into_iter().find(|compartment| compartment.focus().name() == focus)?;
    Some(Within { compartment, id: id.parse().ok()? })
}

/// What a page adds to a task.
struct Found {
    /// By type: how many, and their lines.
    lines: BTreeMap<String, (u64, Vec<u8>)>,
    next: Option<String>,
}

impl Engine {
    /// Works at whatever is to be answered later, begun here or by others, as long as it is polled.
    pub async fn answer_later_always(&self) {
        loop {
            match self.answer_some_later().await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => told_or_after_a_while(&self.tasks).await,
                Err(failure) => {
                    tracing::error!(
                        cause = failure.cause().map(tracing::field::display),
                        "what is answered later cannot be worked at"
                    );
                    told_or_after_a_while(&self.tasks).await;
                }
            }
        }
    }

    /// Takes one step of one task; `false`: there is none.
    ///
    /// # Errors
    /// The store is away.
    pub async fn answer_some_later(&self) -> Outcome<bool> {
        let tasks = self.store.tasks().await?;
        if tasks.is_empty() {
            return Ok(false);
        }
        let now = self.context.now();
        let (tasks, expired): (Vec<Task>, Vec<Task>) = tasks.into_iter().partition(|task| task.expires >= now.micros());
        for task in expired {
            self.store.forget_task(&task.id).await?;
        }
        let is_alone = !self.store.is_shared();
        let is_free =
            |task: &&Task| is_alone || task.worker == self.worker || task.touched.saturating_add(LEASE_MICROS) < now.micros();
        let Some(task) = tasks.iter().filter(|task| task.end.is_none()).find(is_free) else { return Ok(false) };
        self.take_step(task).await?;
        Ok(true)
    }

    async fn take_step(&self, task: &Task) -> Outcome<()> {
        let asked: Asked = serde_json::from_str(&task.request).map_err(Failure::fault)?;
        let is_new = task.cursor.is_none();
        let cursor = task.cursor.clone().unwrap_or_default();
        let (worker, touched) = (self.worker, self.context.now().micros());
        let mut after = Task { worker, touched, cursor: Some(cursor.clone()), ..task.clone() };
        if is_new && !self.store.advance_task(task, after.clone(), Vec::new()).await? {
            return Ok(());
        }
        let before = if is_new { after.clone() } else { task.clone() };
        let found = if is_new || asked.is_paged() { self.page(&asked, &cursor).await } else { Err(interrupted()) };
        let mut pages = Vec::new();
        match found {
            Ok(found) => {
                for (kind, (count, lines)) in found.lines {
                    after.output.push((kind, count));
                    pages.push(Bytes::from(lines));
                }
                match found.next {
                    Some(token) => after.cursor = Some(token),
                    None => after.end = Some(End::Done),
                }
            }
            Err(failure) if failure.kind() == Kind::Unavailable => return Err(failure),
            Err(failure) => {
                let said = failure.issues().iter().map(|issue| issue.diagnostics.as_str()).collect::<Vec<_>>().join("; ");
                after.end = Some(End::Refused(failure.kind().status(), said));
            }
        }
        if after.end.is_some() {
            // What was sent is not needed any more; every task is read whenever it is looked for one to be done.
            after.request = Asked { body: None, ..asked }.text()?;
        }
        self.store.advance_task(&before, after, pages).await.map(drop)
    }

    /// What is found from `cursor` on, which is empty at the beginning.
    async fn page(&self, asked: &Asked, cursor: &str) -> Outcome<Found> {
        let page = asked.is_paged().then_some((self.limits.page_max_resources, cursor));
        let request = asked.request(page)?;
        let response = Box::pin(execute(self, &Principal::Open, &request)).await?;
        let Body::Resource(text) = response.body else { return Err(Failure::fault("an answer without a resource")) };
        let json = fill::whole(self, &text).await?;
        if page.is_none() {
            let lines = [&json[..], b"\n"].concat();
            return Ok(Found { lines: BTreeMap::from([("Bundle".to_owned(), (1, lines))]), next: None });
        }
        found(&json)
    }
}

/// A Bundle is done as a whole, and not twice.
fn interrupted() -> Failure {
    let said = "the server was stopped while it worked at the Bundle; what was done of it is not known";
    Failure::new(Kind::Fault, said)
}

/// The resources of a Bundle, by type, one a line, and the page that follows.
fn found(json: &[u8]) -> Outcome<Found> {
    let tree = Tree::parse(json).map_err(Failure::fault)?;
    let mut lines: BTreeMap<String, (u64, Vec<u8>)> = BTreeMap::new();
    for entry in tree.root().member("entry").into_iter().flat_map(Node::items) {
        let Some(resource) = entry.member("resource") else { continue };
        let kind = resource.member("resourceType").and_then(Node::string).unwrap_or_default();
        if kind == ResourceType::OperationOutcome.name() {
            continue;
        }
        let (count, of_kind) = lines.entry(kind.into_owned()).or_default();
        *count += 1;
        of_kind.extend_from_slice(resource.raw().as_bytes());
        of_kind.push(b'\n');
    }
    let text = |link: Node<'_>, name: &str| link.member(name).and_then(Node::string).map(|text| text.into_owned());
    let links = tree.root().member("link").into_iter().flat_map(Node::items);
    let mut next = links.filter(|link| text(*link, "relation").as_deref() == Some("next")).filter_map(|link| text(link, "url"));
    let token = match next.next() {
        None => None,
        Some(url) => {
            let query = url.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
            read_parameters(query.as_bytes())?.into_iter().find(|(name, _)| name == PAGE_PARAMETER).map(|(_, token)| token)
        }
    };
    Ok(Found { lines, next: token })
}
