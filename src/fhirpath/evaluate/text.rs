//! Functions of text (N1 §String Manipulation). Positions count characters, not bytes.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use super::super::error::Reason;
use super::super::function::Text;
use super::super::item::Item;
use super::super::limit::MAX_PATTERN_BYTES;
use super::super::value::Value;
use super::{Attempt, Call, Evaluator, Flow, Sink, ended};

impl<'t> Evaluator<'t> {
    /// The text of an item that must be one.
    pub(super) fn text<'i>(&self, call: Call<'_, 't>, item: &'i Item<'t>) -> Attempt<Cow<'i, str>> {
        self.text_of(item).ok_or_else(|| self.error(call.at, Reason::WrongType("a text")))
    }

    fn text_argument(&self, call: Call<'_, 't>, position: usize) -> Attempt<Option<String>> {
        let Some(item) = self.single_argument(call, position)? else { return Ok(None) };
        Ok(Some(self.text(call, &item)?.into_owned()))
    }

    pub(super) fn text_function(&self, function: Text, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        if function == Text::Join {
            return self.join(call, sink);
        }
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(()) };
        let text = self.text(call, &item)?;
        self.charge_text(call.at, text.len())?;
        let made = match function {
            Text::Upper => Some(owned(text.to_uppercase())),
            Text::Lower => Some(owned(text.to_lowercase())),
            Text::Trim => Some(owned(text.trim().to_owned())),
            Text::Length => Some(Value::Integer(position(text.chars().count()))),
            Text::Replace => self.replaced(call, &text)?,
            Text::ReplaceMatches => self.replaced_matches(call, &text)?,
            Text::Substring => self.substring(call, &text)?,
            Text::IndexOf => self.found(call, &text, |text, part| text.find(part))?,
            Text::LastIndexOf => self.found(call, &text, |text, part| text.rfind(part))?,
            Text::ToChars => {
                self.charge(call.at, text.len())?;
                return text.chars().try_for_each(|character| sink(owned(character.to_string()).into()));
            }
            Text::Split => {
                let Some(separator) = self.text_argument(call, 0)? else { return Ok(()) };
                self.charge(call.at, text.len())?;
                if separator.is_empty() {
                    return sink(owned(text.into_owned()).into());
                }
                return text.split(separator.as_str()).try_for_each(|part| sink(owned(part.to_owned()).into()));
            }
            Text::Join => None,
        };
        made.map_or(Ok(()), |value| sink(value.into()))
    }

    fn join(&self, call: Call<'_, 't>, sink: Sink<'_, 't>) -> Flow {
        let separator = self.text_argument(call, 0)?.unwrap_or_default();
        let (mut joined, mut any) = (String::new(), false);
        ended(self.each(call.base, call.scope, &mut |item| {
            let text = self.text(call, &item)?;
            self.charge_text(call.at, joined.len() + separator.len() + text.len())?;
            if any {
                joined.push_str(&separator);
            }
            any = true;
            joined.push_str(&text);
            Ok(())
        }))?;
        if any { sink(owned(joined).into()) } else { Ok(()) }
    }

    fn found(&self, call: Call<'_, 't>, text: &str, find: impl Fn(&str, &str) -> Option<usize>) -> Attempt<Option<Value<'t>>> {
        let Some(part) = self.text_argument(call, 0)? else { return Ok(None) };
        let at = find(text, &part).map_or(-1, |bytes| position(text.get(..bytes).unwrap_or_default().chars().count()));
        Ok(Some(Value::Integer(at)))
    }

    /// Nothing if the start lies outside.
    fn substring(&self, call: Call<'_, 't>, text: &str) -> Attempt<Option<Value<'t>>> {
        let Some(start) = self.integer_argument(call, 0)? else { return Ok(None) };
        let length = match self.argument(call, 1) {
            Some(_) => self.integer_argument(call, 1)?.and_then(|length| usize::try_from(length.max(0)).ok()),
            None => None,
        };
        let Ok(start) = usize::try_from(start) else { return Ok(None) };
        if start >= text.chars().count() {
            return Ok(None);
        }
        Ok(Some(owned(text.chars().skip(start).take(length.unwrap_or(usize::MAX)).collect())))
    }

    fn replaced(&self, call: Call<'_, 't>, text: &str) -> Attempt<Option<Value<'t>>> {
        let (pattern, by) = (self.text_argument(call, 0)?, self.text_argument(call, 1)?);
        let (Some(pattern), Some(by)) = (pattern, by) else { return Ok(None) };
        self.charge_text(call.at, text.len() + (text.len() + 1) * by.len() / pattern.len().max(1))?;
        Ok(Some(owned(text.replace(&pattern, &by))))
    }

    fn replaced_matches(&self, call: Call<'_, 't>, text: &str) -> Attempt<Option<Value<'t>>> {
        let Some(by) = self.text_argument(call, 1)? else { return Ok(None) };
        let mut made = String::new();
        let read = self.with_pattern(call, |pattern| {
            // An empty pattern replaces nothing.
            if pattern.as_str().is_empty() {
                made.push_str(text);
                return Ok(());
            }
            let mut end = 0;
            for captures in pattern.captures_iter(text) {
                let Some(all) = captures.get(0) else { continue };
                made.push_str(text.get(end..all.start()).unwrap_or_default());
                captures.expand(&by, &mut made);
                end = all.end();
                self.charge_text(call.at, made.len())?;
            }
            made.push_str(text.get(end..).unwrap_or_default());
            Ok(())
        })?;
        Ok(read.map(|()| owned(made)))
    }

    /// `matches`: anywhere in the text, as R4's engines read it; `matchesFull`: the whole text.
    pub(super) fn matches(&self, call: Call<'_, 't>, whole: bool) -> Attempt<Option<bool>> {
        let Some(item) = self.one(call.base, call.scope)? else { return Ok(None) };
        let text = self.text(call, &item)?;
        self.charge_text(call.at, text.len())?;
        self.with_pattern(call, |pattern| {
            if !whole {
                return Ok(pattern.is_match(&text));
            }
            Ok(pattern.find(&text).is_some_and(|found| found.len() == text.len()))
        })
    }

    /// Hands the compiled pattern to `apply`: kept with the program if it is a literal, compiled each time otherwise.
    fn with_pattern<T>(&self, call: Call<'_, 't>, apply: impl FnOnce(&Regex) -> Attempt<T>) -> Attempt<Option<T>> {
        let kept = self.program.pattern(call.arguments);
        let unreadable = || self.error(call.at, Reason::BadPattern);
        if let Some(Some(pattern)) = kept.and_then(std::sync::OnceLock::get) {
            return apply(pattern).map(Some);
        }
        let Some(source) = self.text_argument(call, 0)? else { return Ok(None) };
        match kept {
            Some(kept) => apply(kept.get_or_init(|| compiled(&source)).as_ref().ok_or_else(unreadable)?).map(Some),
            None => {
                self.charge(call.at, MAX_PATTERN_BYTES / 64)?;
                apply(&compiled(&source).ok_or_else(unreadable)?).map(Some)
            }
        }
    }
}

fn compiled(source: &str) -> Option<Regex> {
    // A point matches line ends too (N1 §matches: single-line mode).
    RegexBuilder::new(source)
        .dot_matches_new_line(true)
        .size_limit(MAX_PATTERN_BYTES)
        .dfa_size_limit(MAX_PATTERN_BYTES)
        .build()
        .ok()
}

fn owned<'t>(text: String) -> Value<'t> {
    Value::String(Cow::Owned(text))
}

fn position(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
