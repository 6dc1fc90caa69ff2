//! `carnet load`: files into a server or a store.
//!
//! Bundles go one after the other, in the order of the files; single resources several at once between them. Nothing that was
//! refused stops the rest; each refusal is named with its file and the server's own words.

mod answer;
mod input;
mod progress;
mod target;
mod unit;

use std::path::PathBuf;

use tokio::task::JoinSet;

use self::answer::Verdict;
use self::input::{Input, Text};
use self::progress::Progress;
pub(super) use self::target::Target;
pub(super) use self::unit::Request;
use self::unit::Unit;

/// Loads what `paths` name into `target`; true: nothing was refused.
///
/// # Errors
/// In a sentence, why the load could not be ended well.
pub(super) async fn run(target: Target, paths: &[PathBuf]) -> Result<bool, String> {
    let (inputs, unreadable) = input::inputs(paths);
    let mut load =
        Load { target, progress: Progress::begin(inputs.iter().map(|input| input.bytes).sum()), under_way: JoinSet::new() };
    for path in unreadable {
        load.progress.count(&path.source, 0, &Verdict::refused(path.reason));
    }
    for input in &inputs {
        load.file(input).await;
    }
    load.finish_all().await;
    load.target.close();
    Ok(load.progress.end())
}

struct Load {
    target: Target,
    progress: Progress,
    under_way: JoinSet<Done>,
}

/// A text that was sent and what became of it.
struct Done {
    source: String,
    bytes: u64,
    verdict: Verdict,
}

impl Load {
    async fn file(&mut self, input: &Input) {
        for text in input.texts() {
            match text {
                Ok(text) => self.text(text).await,
                Err(path) => self.progress.count(&path.source, 0, &Verdict::refused(path.reason)),
            }
        }
    }

    async fn text(&mut self, text: Text) {
        let Text { source, content, bytes } = text;
        let unit = match unit::unit(source.clone(), content) {
            Ok(unit) => unit,
            Err(reason) => return self.progress.count(&source, bytes, &Verdict::refused(reason)),
        };
        if unit.is_bundle {
            self.finish_all().await;
        } else if self.under_way.len() >= self.target.resources_at_once() {
            self.finish_one().await;
        }
        let is_bundle = unit.is_bundle;
        self.under_way.spawn(store(self.target.clone(), unit, bytes));
        if is_bundle {
            self.finish_all().await;
        }
    }

    async fn finish_one(&mut self) -> bool {
        let Some(finished) = self.under_way.join_next().await else { return false };
        match finished {
            Ok(done) => self.progress.count(&done.source, done.bytes, &done.verdict),
            Err(broken) => self.progress.count("a request", 0, &Verdict::refused(broken.to_string())),
        }
        true
    }

    async fn finish_all(&mut self) {
        while self.finish_one().await {}
    }
}

async fn store(target: Target, unit: Unit, bytes: u64) -> Done {
    let Unit { source, request, is_bundle } = unit;
    let verdict = match target.send(request).await {
        Ok(answer) => answer.verdict(is_bundle),
        Err(reason) => Verdict::refused(reason),
    };
    Done { source, bytes, verdict }
}
