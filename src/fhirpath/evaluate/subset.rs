//! Filtering, projection, subsetting and combining.

use super::super::error::Reason;
use super::super::item::{Collection, Item};
use super::super::value::Value;
use super::distinct::Distinct;
use super::{Attempt, Call, Evaluator, Flow, Scope, Sink, Stop, ended};

impl<'t> Evaluator<'t> {
    pub(super) fn where_(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(criteria) = self.argument(call, 0) else { return Ok(()) };
        let mut index = -1;
        self.each(call.base, call.scope, &mut |item| {
            index += 1;
            if self.truth(criteria, call.scope.over(&item, index))? == Some(true) { sink(item) } else { Ok(()) }
        })
    }

    pub(super) fn select(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(projection) = self.argument(call, 0) else { return Ok(()) };
        let mut index = -1;
        self.each(call.base, call.scope, &mut |item| {
            index += 1;
            self.each(projection, call.scope.over(&item, index), sink)
        })
    }

    /// Projects again and again what was not seen before.
    pub(super) fn repeat(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(projection) = self.argument(call, 0) else { return Ok(()) };
        let mut open = self.collect(call.base, call.scope)?;
        let mut seen = Distinct::new(call.at);
        while !open.is_empty() {
            let mut found = Collection::new();
            for (index, item) in open.iter().enumerate() {
                let scope = call.scope.over(item, i32::try_from(index).unwrap_or(i32::MAX));
                self.each(projection, scope, &mut |item| {
                    if !seen.insert(self, &item)? {
                        return Ok(());
                    }
                    self.push(call.at, &mut found, item.clone())?;
                    sink(item)
                })?;
            }
            open = found;
        }
        Ok(())
    }

    pub(super) fn single(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        self.one(call.base, call.scope)?.map_or(Ok(()), sink)
    }

    pub(super) fn last(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let mut last = None;
        ended(self.each(call.base, call.scope, &mut |item| {
            last = Some(item);
            Ok(())
        }))?;
        last.map_or(Ok(()), sink)
    }

    pub(super) fn skip(&self, call: Call<'_, 't>, count: i32, sink: Sink<'_, 't>) -> Flow {
        let mut left = count;
        self.each(call.base, call.scope, &mut |item| {
            if left > 0 {
                left -= 1;
                return Ok(());
            }
            sink(item)
        })
    }

    pub(super) fn take(&self, call: Call<'_, 't>, count: i32, sink: Sink<'_, 't>) -> Flow {
        let count = usize::try_from(count).unwrap_or(0);
        let mut taken = Collection::new();
        ended(self.each(call.base, call.scope, &mut |item| {
            if taken.len() == count {
                return Err(Stop::Enough);
            }
            Ok(self.push(call.at, &mut taken, item)?)
        }))?;
        taken.into_iter().try_for_each(sink)
    }

    /// `skip(n)` and `take(n)`: without a number there is nothing.
    pub(super) fn counted(&self, call: Call<'_, 't>) -> Attempt<Option<i32>> {
        self.integer_argument(call, 0)
    }

    /// `intersect` keeps, without duplicates, what the other side has; `exclude` keeps, with duplicates, what it has not.
    pub(super) fn filtered(&self, call: Call<'_, 't>, keep_common: bool, sink: Sink<'_, 't>) -> Flow {
        let Some(argument) = self.argument(call, 0) else { return Ok(()) };
        let mut other = Distinct::new(call.at);
        ended(self.each(argument, call.scope, &mut |item| {
            other.insert(self, &item)?;
            Ok(())
        }))?;
        let mut kept = Distinct::new(call.at);
        self.each(call.base, call.scope, &mut |item| {
            let keep = other.contains(self, &item)? == keep_common && (!keep_common || kept.insert(self, &item)?);
            if keep { sink(item) } else { Ok(()) }
        })
    }

    pub(super) fn combine(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        self.each(call.base, call.scope, sink)?;
        match self.argument(call, 0) {
            Some(other) => self.each(other, call.scope, sink),
            None => Ok(()),
        }
    }

    pub(super) fn distinct(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let mut seen = Distinct::new(call.at);
        self.each(call.base, call.scope, &mut |item| if seen.insert(self, &item)? { sink(item) } else { Ok(()) })
    }

    pub(super) fn count(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let mut count = 0_i32;
        ended(self.each(call.base, call.scope, &mut |_| {
            count = count.saturating_add(1);
            Ok(())
        }))?;
        sink(Value::Integer(count).into())
    }

    /// `iif`: the criterion and both results see the whole input as their focus; only the result that is chosen is evaluated.
    pub(super) fn iif(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let input = self.collect(call.base, call.scope)?;
        let scope = Scope { this: &input, ..call.scope };
        let Some(criterion) = self.argument(call, 0) else { return Ok(()) };
        let chosen = if self.truth(criterion, scope)? == Some(true) { self.argument(call, 1) } else { self.argument(call, 2) };
        match chosen {
            Some(chosen) => self.each(chosen, scope, sink),
            None => Ok(()),
        }
    }

    /// `aggregate`: `$total` is what the expression gave for the item before.
    pub(super) fn aggregate(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(step) = self.argument(call, 0) else { return Ok(()) };
        let mut total = match self.argument(call, 1) {
            Some(start) => self.collect(start, call.scope)?,
            None => Collection::new(),
        };
        let mut index = -1;
        ended(self.each(call.base, call.scope, &mut |item| {
            index += 1;
            let scope = Scope { total: Some(&total), ..call.scope.over(&item, index) };
            let next = self.collect(step, scope)?;
            total = next;
            Ok(())
        }))?;
        total.into_iter().try_for_each(sink)
    }

    /// `trace`: hands the input on, and tells the host about it or about what the projection makes of it.
    pub(super) fn trace(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let Some(host) = self.environment.host else { return self.each(call.base, call.scope, sink) };
        let label = self.single_argument(call, 0)?;
        let Some(label) = label.as_ref().and_then(|label| self.text_of(label)) else {
            return Err(self.error(call.at, Reason::WrongType("a text")).into());
        };
        let input = self.collect(call.base, call.scope)?;
        match self.argument(call, 1) {
            Some(projection) => {
                let mut shown = Collection::new();
                for item in &input {
                    let projected = self.collect(projection, call.scope.over(item, 0))?;
                    shown.extend(projected);
                }
                host.trace(&label, &shown);
            }
            None => host.trace(&label, &input),
        }
        input.into_iter().try_for_each(sink)
    }

    /// The first item, without asking for the second.
    pub(super) fn first(&self, call: Call<'_, 't>) -> Attempt<Option<Item<'t>>> {
        self.nth(call.base, 0, call.scope)
    }
}
