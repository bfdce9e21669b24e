//! Ctrl-C and termination: the work in hand is asked to stop, and stops cleanly.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::CliError;
use crate::message;

/// Exit code of a command that was interrupted, as shells have it: 128 + SIGINT.
pub(crate) const EXIT_CODE: u8 = 130;

/// How long the work in hand may take to stop by itself. What waits for a pipe never would.
const GRACE: Duration = Duration::from_secs(2);

type Action = Box<dyn Fn() + Send>;

/// What happens when the user asks to stop.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    actions: Arc<Mutex<Vec<Action>>>,
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens from now on. A second Ctrl-C ends the program at once.
    pub(crate) fn listen() -> Self {
        let interrupt = Self::default();
        let heard = interrupt.clone();
        let listening = ctrlc::set_handler(move || {
            if heard.asked.swap(true, Ordering::SeqCst) {
                end();
            }
            for action in heard.actions.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                action();
            }
            thread::spawn(|| {
                thread::sleep(GRACE);
                message::error(&CliError::Interrupted);
                end();
            });
        });
        // Without a handler Ctrl-C ends the program at once, which leaves the case intact too.
        drop(listening);
        interrupt
    }

    /// Does `action` when the user asks to stop.
    pub(crate) fn on(&self, action: impl Fn() + Send + 'static) {
        self.actions.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(action));
    }

    /// Whether the user has asked to stop.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

fn end() -> ! {
    #[expect(clippy::exit, reason = "the user wants it now, and the case is safe at any instant")]
    std::process::exit(EXIT_CODE.into());
}
