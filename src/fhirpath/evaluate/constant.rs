//! External constants: `%resource`, `%context`, `%ucum` and the rest (R4 fhirpath.html §environment variables).

use super::super::error::Reason;
use super::super::item::Item;
use super::super::program::{NameId, OpId};
use super::super::value::Value;
use super::{Evaluator, Flow, Sink};

impl<'t> Evaluator<'t> {
    pub(super) fn external(&self, at: OpId, name: NameId, sink: Sink<'_, 't>) -> Flow {
        let Some(name) = self.program.name_of(name) else { return Ok(()) };
        let environment = self.environment;
        let resource = environment.resource.as_ref();
        match name.plain() {
            "context" => sink(self.context.clone()),
            "resource" => sink(resource.unwrap_or(&self.context).clone()),
            "rootResource" => sink(environment.root_resource.as_ref().or(resource).unwrap_or(&self.context).clone()),
            "ucum" => sink(text("http://unitsofmeasure.org")),
            "sct" => sink(text("http://snomed.info/sct")),
            "loinc" => sink(text("http://loinc.org")),
            plain => {
                if let Some((_, items)) = environment.constants.iter().find(|(name, _)| *name == plain) {
                    return items.iter().cloned().try_for_each(sink);
                }
                match named_url(plain) {
                    Some(url) => sink(Value::String(url.into()).into()),
                    None => Err(self.error(at, Reason::UnknownConstant(plain.to_owned())).into()),
                }
            }
        }
    }
}

fn text<'t>(text: &'t str) -> Item<'t> {
    Value::text(text).into()
}

/// `%vs-name` and `%ext-name` stand for the value set or extension of that name in the FHIR specification.
fn named_url(name: &str) -> Option<String> {
    if let Some(value_set) = name.strip_prefix("vs-") {
        return Some(format!("http://hl7.org/fhir/ValueSet/{value_set}"));
    }
    name.strip_prefix("ext-").map(|extension| format!("http://hl7.org/fhir/StructureDefinition/{extension}"))
}
