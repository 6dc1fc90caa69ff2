//! Functions that answer a question: existence, text, conversion, and the FHIR ones.

use super::super::error::Reason;
use super::super::function::Test;
use super::super::item::Item;
use super::super::value::Value;
use super::distinct::Distinct;
use super::{Attempt, Call, Evaluator, Stop, ended, is_true};
use crate::fhir::json::Node;

impl<'t> Evaluator<'t> {
    pub(super) fn test(&self, test: Test, call: Call<'_, 't>) -> Attempt<Option<bool>> {
        match test {
            Test::Empty => Ok(Some(!self.any(call, |_| Ok(true))?)),
            Test::Exists => self.exists(call).map(Some),
            Test::All => self.all(call).map(Some),
            Test::AllTrue => Ok(Some(!self.any(call, |item| Ok(!self.boolean(call, &item)?))?)),
            Test::AnyTrue => Ok(Some(self.any(call, |item| self.boolean(call, &item))?)),
            Test::AllFalse => Ok(Some(!self.any(call, |item| self.boolean(call, &item))?)),
            Test::AnyFalse => Ok(Some(self.any(call, |item| Ok(!self.boolean(call, &item)?))?)),
            Test::SubsetOf => self.is_subset(call, false).map(Some),
            Test::SupersetOf => self.is_subset(call, true).map(Some),
            Test::IsDistinct => self.is_distinct(call).map(Some),
            Test::Not => Ok(self.truth(call.base, call.scope)?.map(|truth| !truth)),
            Test::StartsWith => self.text_test(call, |text, part| text.starts_with(part)),
            Test::EndsWith => self.text_test(call, |text, part| text.ends_with(part)),
            Test::Contains => self.text_test(call, |text, part| text.contains(part)),
            Test::Matches => self.matches(call, false),
            Test::MatchesFull => self.matches(call, true),
            Test::ConvertsTo(target) => self.converts_to(target, call),
            Test::HasValue => self.has_value(call).map(Some),
            Test::HasExtension => self.has_extension(call),
            Test::ConformsTo => self.conforms_to(call),
            Test::MemberOf => self.member_of(call),
            Test::Subsumes => self.subsumption(call, "subsumes"),
            Test::SubsumedBy => self.subsumption(call, "subsumedBy"),
            Test::HtmlChecks => self.html_checks(call),
        }
    }

    /// Whether any item of the base passes; looks no further than the first that does.
    fn any(&self, call: Call<'_, 't>, mut passes: impl FnMut(Item<'t>) -> Attempt<bool>) -> Attempt<bool> {
        let mut found = false;
        ended(self.each(call.base, call.scope, &mut |item| {
            found = passes(item)?;
            if found { Err(Stop::Enough) } else { Ok(()) }
        }))?;
        Ok(found)
    }

    fn exists(&self, call: Call<'_, 't>) -> Attempt<bool> {
        let Some(criteria) = self.argument(call, 0) else { return self.any(call, |_| Ok(true)) };
        let mut index = -1;
        self.any(call, |item| {
            index += 1;
            Ok(self.truth(criteria, call.scope.over(&item, index))? == Some(true))
        })
    }

    fn all(&self, call: Call<'_, 't>) -> Attempt<bool> {
        let Some(criteria) = self.argument(call, 0) else { return Ok(true) };
        let mut index = -1;
        let fails = self.any(call, |item| {
            index += 1;
            Ok(self.truth(criteria, call.scope.over(&item, index))? != Some(true))
        })?;
        Ok(!fails)
    }

    fn boolean(&self, call: Call<'_, 't>, item: &Item<'t>) -> Attempt<bool> {
        let is_boolean = match item {
            Item::Value(value) => matches!(value, Value::Boolean(_)),
            Item::Element(element) => element.value().and_then(Node::boolean).is_some(),
        };
        if is_boolean { Ok(is_true(item)) } else { Err(self.error(call.at, Reason::WrongType("a boolean"))) }
    }

    /// Whether every item of the one side is in the other; `turned` asks it of the argument.
    fn is_subset(&self, call: Call<'_, 't>, turned: bool) -> Attempt<bool> {
        let Some(argument) = self.argument(call, 0) else { return Ok(false) };
        let (small, large) = if turned { (argument, call.base) } else { (call.base, argument) };
        let mut within = Distinct::new(call.at);
        ended(self.each(large, call.scope, &mut |item| {
            within.insert(self, &item)?;
            Ok(())
        }))?;
        let outside = self.any(Call { base: small, ..call }, |item| Ok(!within.contains(self, &item)?))?;
        Ok(!outside)
    }

    fn is_distinct(&self, call: Call<'_, 't>) -> Attempt<bool> {
        let mut seen = Distinct::new(call.at);
        let repeated = self.any(call, |item| Ok(!seen.insert(self, &item)?))?;
        Ok(!repeated)
    }

    /// Whether there is exactly one item, and it is a primitive with a value.
    fn has_value(&self, call: Call<'_, 't>) -> Attempt<bool> {
        let (mut count, mut valued) = (0, false);
        ended(self.each(call.base, call.scope, &mut |item| {
            count += 1;
            valued = match &item {
                Item::Value(_) => true,
                Item::Element(element) => element.primitive().is_some(),
            };
            if count > 1 { Err(Stop::Enough) } else { Ok(()) }
        }))?;
        Ok(count == 1 && valued)
    }

    fn text_test(&self, call: Call<'_, 't>, holds: impl Fn(&str, &str) -> bool) -> Attempt<Option<bool>> {
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(None) };
        let Some(part) = self.single_argument(call, 0)? else { return Ok(None) };
        let (text, part) = (self.text(call, &item)?, self.text(call, &part)?);
        self.charge_text(call.at, text.len())?;
        Ok(Some(holds(&text, &part)))
    }
}
