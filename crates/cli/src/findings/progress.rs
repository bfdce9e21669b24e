//! How many of many questions are answered, on standard error when somebody watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal;

/// A line that says which question is being asked, until it is dropped.
pub(super) struct Shown {
    bar: Option<ProgressBar>,
}

impl Shown {
    /// Shows so many questions; nothing when standard error is no terminal, or nobody wants it.
    pub(super) fn show(is_watched: bool, questions: usize) -> Self {
        let bar = (is_watched && terminal::stderr_is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(questions as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar }
    }

    /// The next question.
    pub(super) fn next(&self, name: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(name.to_owned());
            bar.inc(1);
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
