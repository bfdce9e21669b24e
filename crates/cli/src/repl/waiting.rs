//! The line that is shown while a statement runs: how far it is, how long it takes, how to stop it.

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What is done before shows no line: most answers come sooner.
const PATIENCE: Duration = Duration::from_millis(500);

/// Redraws per second are enough to look alive and too few to cost anything.
const REDRAW: Duration = Duration::from_millis(200);

/// Shows on standard error that something runs, until it is dropped.
pub(super) struct Waiting {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Waiting {
    /// Shows what `progress` says, in percent where that is known; nothing when nobody watches.
    pub(super) fn show(is_watched: bool, progress: impl Fn() -> Option<f64> + Send + 'static) -> Self {
        if !is_watched {
            return Self { done: None, thread: None };
        }
        let (done, ended) = channel::<()>();
        let thread = thread::spawn(move || {
            let start = Instant::now();
            let mut pause = PATIENCE;
            let mut is_drawn = false;
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let percent = progress().map_or(String::new(), |percent| format!("{percent:3.0} %  "));
                draw(&format!("\r\x1b[K{percent}{:.1} s  Ctrl-C stops it", start.elapsed().as_secs_f64()));
                (pause, is_drawn) = (REDRAW, true);
            }
            if is_drawn {
                draw("\r\x1b[K");
            }
        });
        Self { done: Some(done), thread: Some(thread) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the drawing thread is not worth another one.
            let _ = thread.join();
        }
    }
}

fn draw(text: &str) {
    let mut screen = std::io::stderr().lock();
    // Nobody is left to tell when standard error is gone.
    let _ = screen.write_all(text.as_bytes()).and_then(|()| screen.flush());
}
