//! The functions that FHIR adds (R4 fhirpath.html §functions).

use std::borrow::Cow;

use super::super::error::Reason;
use super::super::item::{Element, Item};
use super::types::reference_text;
use super::{Attempt, Call, Evaluator, Flow, Sink, Stop, ended};
use crate::fhir::json::Node;

/// What the canonical URL of a type of FHIR begins with.
const CORE_TYPE_URL: &str = "http://hl7.org/fhir/StructureDefinition/";

impl<'t> Evaluator<'t> {
    /// `resolve()`: contained resources, entries of the bundle, then whatever the host finds; what is not found is left out.
    pub(super) fn resolve(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        self.each(call.base, call.scope, &mut |item| {
            self.charge(call.at, 1)?;
            let Some(reference) = reference_text(&item) else { return Ok(()) };
            match self.resolved(&item, &reference) {
                Some(resource) => sink(Item::Element(resource)),
                None => Ok(()),
            }
        })
    }

    pub(super) fn resolved(&self, item: &Item<'t>, reference: &str) -> Option<Element<'t>> {
        let model = self.environment.model;
        let found = match reference.strip_prefix('#') {
            Some(id) => self.contained(item, id),
            None => self.bundled(item, reference),
        };
        let node = found.or_else(|| self.environment.host?.resolve(reference))?;
        Some(Element::resource(model, node))
    }

    /// The resources to look in: the outermost one known.
    fn outermost(&self) -> Option<Node<'t>> {
        let environment = self.environment;
        let outermost = environment.root_resource.as_ref().or(environment.resource.as_ref()).unwrap_or(&self.context);
        outermost.element()?.value()
    }

    /// The contained resource with this id, in the resource around the reference; `#` alone is that resource.
    fn contained(&self, item: &Item<'t>, id: &str) -> Option<Node<'t>> {
        let outermost = self.outermost()?;
        let container = item.element().and_then(Element::node).map_or(outermost, |node| container(outermost, node));
        if id.is_empty() {
            return Some(container);
        }
        container
            .member("contained")?
            .items()
            .find(|resource| resource.member("id").and_then(Node::string).is_some_and(|own| own == id))
    }

    /// The entry of the bundle with this `fullUrl`; a relative reference is read against that of the entry it stands in.
    fn bundled(&self, item: &Item<'t>, reference: &str) -> Option<Node<'t>> {
        let bundle = self.outermost()?;
        let entries = bundle.member("entry")?;
        let reference = reference.split_once("/_history/").map_or(reference, |(before, _)| before);
        let sought = if reference.contains(':') {
            Cow::Borrowed(reference)
        } else {
            let own = item.element().and_then(Element::node).and_then(|node| entries.items().find(|entry| spans(*entry, node)));
            let own_url = own.and_then(|entry| entry.member("fullUrl")).and_then(Node::string);
            match own_url.as_deref().and_then(base_of) {
                Some(base) => Cow::Owned(format!("{base}/{reference}")),
                None => Cow::Borrowed(reference),
            }
        };
        let entry = entries.items().find(|entry| entry.member("fullUrl").and_then(Node::string).is_some_and(|url| url == sought));
        entry?.member("resource")
    }

    /// `extension(url)`
    pub(super) fn extension(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(url) = self.single_argument(call, 0)? else { return Ok(()) };
        let url = self.text(call, &url)?;
        self.each(call.base, call.scope, &mut |item| self.extensions(call, &item, &url, sink))
    }

    pub(super) fn has_extension(&self, call: Call<'_, 't>) -> Attempt<Option<bool>> {
        let mut found = false;
        ended(self.extension(call, &mut |_| {
            found = true;
            Err(Stop::Enough)
        }))?;
        Ok(Some(found))
    }

    fn extensions(&self, call: Call<'_, 't>, item: &Item<'t>, url: &str, sink: Sink<'_, 't>) -> Flow {
        let Item::Element(element) = item else { return Ok(()) };
        let Some(extensions) = element.object().and_then(|object| object.member("extension")) else { return Ok(()) };
        let model = self.environment.model;
        for extension in extensions.items() {
            self.charge(call.at, 1)?;
            if extension.member("url").and_then(Node::string).is_some_and(|own| own == url) {
                sink(Item::Element(Element::new(Some(extension), None, model.type_named("Extension"))))?;
            }
        }
        Ok(())
    }

    /// `getValue()`: the System value of the only item, if it is a primitive that has one.
    pub(super) fn get_value(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(()) };
        self.value_of(&item).map_or(Ok(()), |value| sink(value.into()))
    }

    /// `checkModifiers(url…)`: the input, unless it has a modifier extension that is not among the ones named.
    pub(super) fn check_modifiers(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let mut known = Vec::new();
        for argument in self.program.arguments(call.arguments) {
            if let Some(item) = self.one(*argument, call.scope)? {
                known.push(self.text(call, &item)?.into_owned());
            }
        }
        self.each(call.base, call.scope, &mut |item| {
            let modifiers = item.element().and_then(Element::object).and_then(|object| object.member("modifierExtension"));
            for extension in modifiers.into_iter().flat_map(Node::items) {
                self.charge(call.at, 1)?;
                let url = extension.member("url").and_then(Node::string).unwrap_or_default();
                if !known.iter().any(|known| *known == url) {
                    return Err(self.error(call.at, Reason::WrongType("an element without unknown modifiers")).into());
                }
            }
            sink(item)
        })
    }

    pub(super) fn conforms_to(&self, call: Call<'_, 't>) -> Attempt<Option<bool>> {
        self.asked(call, "conformsTo", |item, argument| {
            let profile = self.text_of(argument)?;
            let answer = self.environment.host.and_then(|host| host.conforms_to(item, &profile));
            answer.or_else(|| self.is_of_core_type(item, &profile))
        })
    }

    /// A type of FHIR is a profile too, which its own instances conform to.
    fn is_of_core_type(&self, item: &Item<'t>, profile: &str) -> Option<bool> {
        let name = profile.strip_prefix(CORE_TYPE_URL)?;
        self.environment.model.type_named(name)?;
        item.element().map(|element| self.is_named(element, name))
    }

    pub(super) fn member_of(&self, call: Call<'_, 't>) -> Attempt<Option<bool>> {
        self.asked(call, "memberOf", |item, argument| {
            let value_set = self.text_of(argument)?;
            self.environment.host?.member_of(item, &value_set)
        })
    }

    pub(super) fn subsumption(&self, call: Call<'_, 't>, function: &'static str) -> Attempt<Option<bool>> {
        self.asked(call, function, |item, argument| {
            let (general, special) = if function == "subsumes" { (item, argument) } else { (argument, item) };
            if self.equal(call.at, general, special).ok()? == Some(true) {
                return Some(true);
            }
            self.environment.host?.subsumes(general, special)
        })
    }

    /// Asks the host about the only item and the argument; that it does not know is an error, never an answer.
    fn asked(
        &self,
        call: Call<'_, 't>,
        function: &'static str,
        ask: impl FnOnce(&Item<'t>, &Item<'t>) -> Option<bool>,
    ) -> Attempt<Option<bool>> {
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(None) };
        let Some(argument) = self.single_argument(call, 0)? else { return Ok(None) };
        ask(&item, &argument).map(Some).ok_or_else(|| self.error(call.at, Reason::Unsupported(function)))
    }
}

/// Whether `inner` is `outer` or stands within it.
fn spans(outer: Node<'_>, inner: Node<'_>) -> bool {
    let (outer, inner) = (outer.span(), inner.span());
    outer.start <= inner.start && inner.end <= outer.end
}

/// The innermost resource around `node` that is not itself contained in another.
fn container<'t>(outermost: Node<'t>, node: Node<'t>) -> Node<'t> {
    let (mut found, mut at) = (outermost, outermost);
    while let Some(next) = at.children().find(|child| child.index() <= node.index() && spans(*child, node)) {
        if next.is_named("contained") {
            break;
        }
        if next.member("resourceType").is_some() {
            found = next;
        }
        at = next;
    }
    found
}

/// What stands before `Type/id` in a full URL.
fn base_of(full_url: &str) -> Option<&str> {
    let (rest, _) = full_url.rsplit_once('/')?;
    rest.rsplit_once('/').map(|(base, _)| base)
}
