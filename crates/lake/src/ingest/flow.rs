//! Lets a bounded number of chunks, and of bytes in them, be on their way.
//!
//! Sources are taken up one after the other. The one whose turn it is always gets on, so nobody waits for ever.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Chunks of one source that may be on their way.
const CHUNKS_IN_FLIGHT: usize = 8;

/// Chunks of all sources that may be on their way. Only many small sources that wait for a large one reach it.
const ALL_CHUNKS_IN_FLIGHT: usize = 32;

/// Bytes of all chunks that may be on their way, before another one is read. Only records of many megabytes reach it.
const BYTES_IN_FLIGHT: usize = 80 * 1024 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    /// Sizes of the chunks of every source, in their order; 0 while a chunk is being read.
    in_flight: HashMap<usize, VecDeque<usize>>,
    chunks: usize,
    bytes: usize,
    /// The source whose chunks are taken up.
    turn: usize,
    closed: bool,
}

impl Gate {
    /// Waits until the source may read another chunk; false when the run was stopped.
    pub(crate) fn enter(&self, source: usize) -> bool {
        let mut state = self.lock();
        loop {
            if state.closed {
                return false;
            }
            let own = state.in_flight.get(&source).map_or(0, VecDeque::len);
            let is_next = state.turn == source;
            let chunks_may = own < CHUNKS_IN_FLIGHT && (is_next || state.chunks < ALL_CHUNKS_IN_FLIGHT);
            let bytes_may = state.bytes < BYTES_IN_FLIGHT || (is_next && own == 0);
            if chunks_may && bytes_may {
                state.in_flight.entry(source).or_default().push_back(0);
                state.chunks += 1;
                return true;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The chunk that the source entered for has that many bytes.
    pub(crate) fn carry(&self, source: usize, bytes: usize) {
        let mut state = self.lock();
        if let Some(chunk) = state.in_flight.get_mut(&source).and_then(VecDeque::back_mut) {
            *chunk = bytes;
            state.bytes += bytes;
        }
    }

    /// The source entered for a chunk that does not exist: it has ended.
    pub(crate) fn turn_back(&self, source: usize) {
        self.remove(source, VecDeque::pop_back);
    }

    /// The first chunk of the source has been taken up.
    pub(crate) fn leave(&self, source: usize) {
        self.remove(source, VecDeque::pop_front);
    }

    fn remove(&self, source: usize, which: fn(&mut VecDeque<usize>) -> Option<usize>) {
        let mut state = self.lock();
        if let Some(in_flight) = state.in_flight.get_mut(&source) {
            let bytes = which(in_flight);
            if in_flight.is_empty() {
                state.in_flight.remove(&source);
            }
            state.chunks -= usize::from(bytes.is_some());
            state.bytes -= bytes.unwrap_or_default();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The chunks of that source are taken up next, and none of one before it.
    pub(crate) fn turn(&self, source: usize) {
        self.lock().turn = source;
        self.changed.notify_all();
    }

    /// Nobody may enter any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        // A thread that panics while it holds the lock leaves numbers behind that are all valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_whose_turn_it_is_gets_on() {
        let gate = Gate::default();
        for source in 1..=ALL_CHUNKS_IN_FLIGHT {
            assert!(gate.enter(source));
            gate.carry(source, BYTES_IN_FLIGHT / ALL_CHUNKS_IN_FLIGHT);
        }
        // Source 0 needs none of what the others hold, neither chunks nor bytes.
        assert!(gate.enter(0));
        gate.carry(0, 1);
        gate.leave(0);
        assert!(gate.enter(0));
        gate.turn_back(0);
        gate.turn(1);
        gate.leave(1);
        assert!(gate.enter(1));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| gate.enter(99));
            gate.close();
            assert!(!waits.join().unwrap());
        });
    }

    #[test]
    fn large_chunks_wait_for_one_another() {
        let gate = Gate::default();
        assert!(gate.enter(0));
        gate.carry(0, BYTES_IN_FLIGHT);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| gate.enter(0));
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(!waits.is_finished());
            gate.leave(0);
            assert!(waits.join().unwrap());
        });
    }
}
