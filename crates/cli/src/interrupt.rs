//! Ctrl-C and termination: the work in hand is asked to stop, and stops cleanly.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
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

/// How often the user must ask while something is cancelled, until the program ends.
const ASKED_MAX: u8 = 3;

/// What it means that the user asks to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// The program ends.
    Ends,
    /// What runs is cancelled, and the program goes on.
    Cancels,
    /// Nothing: another program has the terminal, and gets the same signal.
    Ignores,
}

/// What happens when the user asks to stop.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    actions: Arc<Mutex<Vec<Action>>>,
    asked: Arc<AtomicBool>,
    manner: Arc<AtomicU8>,
    cancelled: Arc<AtomicU8>,
}

impl Interrupt {
    /// Listens from now on. A second Ctrl-C ends the program at once.
    pub(crate) fn listen() -> Self {
        let interrupt = Self::default();
        let heard = interrupt.clone();
        let listening = ctrlc::set_handler(move || {
            match heard.manner.load(Ordering::SeqCst) {
                manner if manner == Manner::Ignores as u8 => return,
                manner if manner == Manner::Cancels as u8 => {
                    heard.act();
                    if heard.cancelled.fetch_add(1, Ordering::SeqCst) + 1 >= ASKED_MAX {
                        end();
                    }
                    return;
                }
                _ => (),
            }
            if heard.asked.swap(true, Ordering::SeqCst) {
                end();
            }
            heard.act();
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

    /// Says what it means from now on that the user asks to stop; at first, the program ends.
    pub(crate) fn heed(&self, manner: Manner) {
        self.cancelled.store(0, Ordering::SeqCst);
        self.manner.store(manner as u8, Ordering::SeqCst);
    }

    fn act(&self) {
        for action in self.actions.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            action();
        }
    }

    /// Asks to stop, in place of the user.
    pub(crate) fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.act();
    }

    /// Does `action` when the user asks to stop; at once, when that was asked before there was anything to stop.
    pub(crate) fn on(&self, action: impl Fn() + Send + 'static) {
        if self.is_asked() {
            action();
        }
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
