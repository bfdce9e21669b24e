//! The progress of an ingest, on standard error when somebody watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kforensic_lake::Progress;

use crate::terminal;

/// Redraws per second are enough to look alive and too few to cost anything.
const REDRAW: Duration = Duration::from_millis(100);

/// A line that shows an ingest until it is dropped.
pub(crate) struct ProgressLine {
    done: Arc<AtomicBool>,
    /// Whether the small files of many ingests are being merged.
    merges: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressLine {
    /// Shows `progress`; nothing when standard error is not a terminal.
    pub(crate) fn show(progress: &Arc<Progress>) -> Self {
        let (done, merges) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let thread = terminal::stderr_is_terminal().then(|| {
            let (progress, done, merges) = (Arc::clone(progress), Arc::clone(&done), Arc::clone(&merges));
            thread::spawn(move || draw(&progress, &done, &merges))
        });
        Self { done, merges, thread }
    }

    /// The logs are in the case; what comes now is upkeep.
    pub(crate) fn merges(&self) {
        self.merges.store(true, Ordering::Relaxed);
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the drawing thread is not worth another one.
            let _ = thread.join();
        }
    }
}

fn draw(progress: &Progress, done: &AtomicBool, merges: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let template = "{bar:24} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {msg}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    let start = Instant::now();
    while !done.load(Ordering::Relaxed) {
        bar.set_length(progress.total_bytes());
        bar.set_position(progress.read_bytes());
        if merges.load(Ordering::Relaxed) {
            if let Ok(style) = ProgressStyle::with_template("{spinner} merging small files") {
                bar.set_style(style);
            }
            bar.tick();
        } else {
            bar.set_message(message(progress, start.elapsed()));
        }
        thread::sleep(REDRAW);
    }
    bar.finish_and_clear();
}

fn message(progress: &Progress, elapsed: Duration) -> String {
    if progress.total_bytes() > 0 && progress.read_bytes() >= progress.total_bytes() {
        return format!("{} events, writing the case", progress.events());
    }
    // Only shown, never stored: a rounded number is fine.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = progress.events() as f64 / elapsed.as_secs_f64().max(0.001);
    format!("{} events ({rate:.0}/s)", progress.events())
}
