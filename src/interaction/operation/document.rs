//! `$document` (R4 composition-operation-document.html): a Composition and what it refers to, put together as a document.

use std::collections::HashSet;

use super::Input;
use crate::fhir::json::{JsonKind, Node};
use crate::fhir::{InstanceId, Reference, ResourceType};
use crate::interaction::bundle::Bundle;
use crate::interaction::{Call, Content, Format, Interaction, Request, Response, body, create, fill, read};
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::Name;
use crate::store::{Stored, Text, VersionName};

pub(super) async fn document(call: &Call<'_>, input: &Input) -> Outcome<Response> {
    if input.one("graph").is_some() {
        return Err(Failure::new(Kind::InvalidParameter, "no GraphDefinition is followed; leave graph out").at("http.graph"));
    }
    let persists = input.one("persist") == Some("true");
    if persists && call.request.body.is_none() {
        return Err(Failure::new(Kind::NotAllowed, "what is to be stored is asked for by POST").at("http.persist"));
    }
    let id = id(call, input)?;
    let stored = call.engine.store.read(call.access, ResourceType::Composition, &id).await?.ok_or_else(read::absent)?;
    let text = read::present(&stored)?;
    let others = referred(call, &text).await?;
    let document = written(call, (&stored, &text), &others)?;
    if !persists {
        return Ok(Response { part: Some(stored.key.part), ..Response::of(document) });
    }
    let whole = fill::whole(call.engine, &document).await?;
    let mut request = Request::new(Interaction::Create, call.request.request_id.clone());
    (request.kind, request.prefer) = (Some(ResourceType::Bundle), call.request.prefer);
    request.body = Some(Content::of(whole, Format::Entry));
    create::create(&Call { request: &request, ..*call }).await
}

/// The Composition that the URL names, or the parameter `id`.
fn id(call: &Call<'_>, input: &Input) -> Outcome<InstanceId> {
    if let Some(id) = &call.request.id {
        return Ok(id.clone());
    }
    let named = input.one("id").ok_or_else(|| Failure::new(Kind::InvalidParameter, "which Composition?").at("http.id"))?;
    let read = match Reference::read(named, &call.engine.base_url) {
        Reference::Instance { kind: ResourceType::Composition, id, .. } => Some(id),
        _ => named.parse().ok(),
    };
    read.ok_or_else(|| Failure::new(Kind::InvalidParameter, "this names no Composition of this server").at("http.id"))
}

/// What a Composition refers to, each once, in the order in which it does.
async fn referred(call: &Call<'_>, text: &Text) -> Outcome<Vec<Stored>> {
    let tree = body::parse(text.json())?;
    let (mut names, mut seen) = (Vec::new(), HashSet::new());
    gather(call, tree.root(), &mut |name: Name| {
        if seen.insert(name.clone()) {
            names.push(VersionName { kind: name.0, id: name.1, version: None });
        }
    });
    let most = call.engine.limits.include_resources;
    if names.len() > most {
        return Err(Failure::new(Kind::TooCostly, format!("a document holds at most {most} resources here")));
    }
    let found = call.engine.store.several(call.access, names).await?;
    Ok(found.into_iter().filter(|stored| stored.body.is_some()).collect())
}

fn gather(call: &Call<'_>, node: Node<'_>, take: &mut dyn FnMut(Name)) {
    for member in node.children() {
        if member.is_named("reference")
            && let Some(text) = member.string()
            && let Reference::Instance { kind, id, .. } = Reference::read(&text, &call.engine.base_url)
        {
            take((kind, id));
        }
        if matches!(member.kind(), JsonKind::Object | JsonKind::Array) {
            gather(call, member, take);
        }
    }
}

fn written(call: &Call<'_>, (composition, text): (&Stored, &Text), others: &[Stored]) -> Outcome<Text> {
    let context = &call.engine.context;
    let now = context.now();
    let mut bundle = Bundle::new("document", now);
    bundle.document(&format!("urn:uuid:{}", context.uuid()), now);
    let mut push = |stored: &Stored, text: &Text| {
        let full_url = format!("{}/{}/{}", call.engine.base_url, stored.kind, stored.id);
        bundle.entry(text.json().len()).full_url(&full_url).resource(text).end();
    };
    push(composition, text);
    for stored in others {
        if let Some(text) = stored.text()? {
            push(stored, &text);
        }
    }
    Ok(bundle.finish())
}
