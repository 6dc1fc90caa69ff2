//! Functions that yield items: the dispatch, and those that are a line or two.

use super::super::error::Reason;
use super::super::function::Make;
use super::super::temporal::Temporal;
use super::super::value::Value;
use super::{Attempt, Call, Evaluator, Flow, Sink};
use crate::fhir::Instant;

impl<'t> Evaluator<'t> {
    pub(super) fn make(&self, make: Make, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        match make {
            Make::Where => self.where_(call, sink),
            Make::Select => self.select(call, sink),
            Make::Repeat => self.repeat(call, sink),
            Make::Single => self.single(call, sink),
            Make::First => self.first(call)?.map_or(Ok(()), sink),
            Make::Last => self.last(call, sink),
            Make::Tail => self.skip(call, 1, sink),
            Make::Skip => self.counted(call)?.map_or(Ok(()), |count| self.skip(call, count, sink)),
            Make::Take => self.counted(call)?.map_or(Ok(()), |count| self.take(call, count, sink)),
            Make::Intersect => self.filtered(call, true, sink),
            Make::Exclude => self.filtered(call, false, sink),
            Make::Union => match self.argument(call, 0) {
                Some(other) => self.union(call.at, (call.base, other), call.scope, sink),
                None => Ok(()),
            },
            Make::Combine => self.combine(call, sink),
            Make::Distinct => self.distinct(call, sink),
            Make::Count => self.count(call, sink),
            Make::Iif => self.iif(call, sink),
            Make::Aggregate => self.aggregate(call, sink),
            Make::Children => self.each(call.base, call.scope, &mut |item| self.children(call.at, &item, sink)),
            Make::Descendants => self.each(call.base, call.scope, &mut |item| self.descendants(call.at, &item, sink)),
            Make::Trace => self.trace(call, sink),
            Make::Now => self.clock(call, "now", Temporal::moment)?.map_or(Ok(()), |now| sink(Value::Temporal(now).into())),
            Make::Today => {
                let now = self.clock(call, "today", Temporal::moment)?;
                now.and_then(Temporal::date).map_or(Ok(()), |day| sink(Value::Temporal(day).into()))
            }
            Make::TimeOfDay => {
                let time = self.clock(call, "timeOfDay", Temporal::time_of_day)?;
                time.map_or(Ok(()), |time| sink(Value::Temporal(time).into()))
            }
            Make::Type => self.each(call.base, call.scope, &mut |item| sink(Value::Type(Box::new(self.type_of(&item))).into())),
            Make::To(target) => self.convert(target, call)?.map_or(Ok(()), |value| sink(value.into())),
            Make::Text(text) => self.text_function(text, call, sink),
            Make::Math(math) => self.math(math, call)?.map_or(Ok(()), |value| sink(value.into())),
            Make::Resolve => self.resolve(call, sink),
            Make::Extension => self.extension(call, sink),
            Make::GetValue => self.get_value(call, sink),
            Make::ElementDefinition => Err(self.error(call.at, Reason::Unsupported("elementDefinition")).into()),
            Make::Slice => Err(self.error(call.at, Reason::Unsupported("slice")).into()),
            Make::CheckModifiers => self.check_modifiers(call, sink),
        }
    }

    /// What the clock of the environment shows, read by `read`.
    fn clock(
        &self,
        call: Call<'_, 't>,
        function: &'static str,
        read: fn(Instant, i16) -> Option<Temporal>,
    ) -> Attempt<Option<Temporal>> {
        let environment = self.environment;
        let now = environment.now.ok_or_else(|| self.error(call.at, Reason::Unsupported(function)))?;
        Ok(read(now, environment.zone_minutes))
    }
}
