//! Tokens: every form in which a query may name a code (R4 search.html §token).

use super::collect::{Collector, text_of};
use super::shape::Shape;
use crate::definition::ParameterId;
use crate::fhir::json::Node;
use crate::search::term::TokenOf;

impl Collector<'_> {
    pub(super) fn token(&mut self, parameter: ParameterId, shape: Shape, node: Node<'_>) {
        match shape {
            Shape::Coding => self.coding(parameter, node),
            Shape::CodeableConcept => {
                for coding in node.member("coding").into_iter().flat_map(Node::items) {
                    self.coding(parameter, coding);
                }
            }
            Shape::Identifier => self.identifier(parameter, TokenOf::Value, node),
            Shape::ContactPoint => {
                if let Some(value) = text_of(node, "value") {
                    self.code(parameter, &value);
                }
            }
            Shape::Quantity | Shape::Money | Shape::Range | Shape::Period | Shape::Timing | Shape::Reference => {}
            Shape::HumanName | Shape::Address | Shape::Resource | Shape::Other => {}
            Shape::Boolean | Shape::Number => self.code(parameter, node.raw()),
            Shape::Text | Shape::Uri | Shape::Canonical | Shape::Date => {
                if let Some(text) = node.string() {
                    self.content_type(parameter, node, &text);
                    self.code(parameter, &text);
                }
            }
        }
    }

    /// A type of content that has parameters is found without them too.
    fn content_type(&mut self, parameter: ParameterId, node: Node<'_>, text: &str) {
        let plain = text.split_once(';').filter(|_| node.is_named("contentType"));
        self.entries.terms.extend(plain.map(|(plain, _)| self.terms.uri(parameter, &plain.trim_end().to_lowercase())));
    }

    /// An identifier, or the identifier of a reference.
    pub(super) fn identifier(&mut self, parameter: ParameterId, of: TokenOf, node: Node<'_>) {
        self.system_and_code(parameter, of, (text_of(node, "system").as_deref(), text_of(node, "value").as_deref()));
    }

    /// A code of which no system is known.
    pub(super) fn code(&mut self, parameter: ParameterId, code: &str) {
        self.system_and_code(parameter, TokenOf::Value, (None, Some(code)));
    }

    fn coding(&mut self, parameter: ParameterId, node: Node<'_>) {
        self.system_and_code(parameter, TokenOf::Value, (text_of(node, "system").as_deref(), text_of(node, "code").as_deref()));
    }

    fn system_and_code(&mut self, parameter: ParameterId, of: TokenOf, (system, code): (Option<&str>, Option<&str>)) {
        let made = &self.terms;
        let terms = &mut self.entries.terms;
        if let Some(code) = code {
            terms.push(made.code(parameter, of, code));
            terms.push(match system {
                Some(system) => made.system_code(parameter, of, (system, code)),
                None => made.code_without_system(parameter, of, code),
            });
        }
        terms.extend(system.map(|system| made.system(parameter, of, system)));
    }
}
