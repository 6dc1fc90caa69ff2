//! A bounded queue between the async side and the threads that own a connection: full is refused, closed is emptied first.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Why an item was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// As many wait as may.
    Full,
    /// The store is being closed.
    Closed,
}

/// Items waiting for a thread.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    capacity: usize,
}

struct State<T> {
    items: VecDeque<T>,
    idle: usize,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue in which at most `capacity` items wait.
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::new(), idle: 0, closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new(), capacity }
    }

    /// Takes `item` in.
    pub(super) fn push(&self, item: T) -> Result<(), Refused> {
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.items.len() >= self.capacity {
            return Err(Refused::Full);
        }
        state.items.push_back(item);
        let wake = state.idle > 0;
        drop(state);
        if wake {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// The next item, waited for; `None` once the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<T> {
        self.waited_for()?.items.pop_front()
    }

    /// Every item that waits, up to `limit` of them; at least one is waited for. `None` once the queue is closed and empty.
    pub(super) fn pop_waiting(&self, limit: usize) -> Option<Vec<T>> {
        let mut state = self.waited_for()?;
        let count = state.items.len().min(limit);
        Some(state.items.drain(..count).collect())
    }

    /// How many items wait, and how many threads wait for one.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let state = self.state();
        (state.items.len(), state.idle)
    }

    /// Takes nothing in any more.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.ready.notify_all();
    }

    /// Whether nothing is taken in any more.
    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// The state once it holds an item; `None` once it never will again.
    fn waited_for(&self) -> Option<MutexGuard<'_, State<T>>> {
        let mut state = self.state();
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        Some(state)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_a_closed_one_is_emptied_first() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.push(2), Ok(()));
        assert_eq!(queue.push(3), Err(Refused::Full));
        assert_eq!(queue.pop(), Some(1));
        assert_eq!(queue.push(4), Ok(()));
        queue.close();
        assert_eq!(queue.push(5), Err(Refused::Closed));
        assert_eq!(queue.pop_waiting(10), Some(vec![2, 4]));
        assert_eq!(queue.pop(), None);
        assert_eq!(queue.pop_waiting(10), None);
    }

    #[test]
    fn no_more_is_taken_than_the_limit() {
        let queue = Queue::new(10);
        for item in 0..5 {
            queue.push(item).unwrap();
        }
        assert_eq!(queue.pop_waiting(3), Some(vec![0, 1, 2]));
        assert_eq!(queue.pop_waiting(3), Some(vec![3, 4]));
    }

    #[test]
    fn every_item_reaches_one_thread() {
        let queue = Queue::new(1_000);
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| std::iter::from_fn(|| queue.pop()).count())).collect();
            for item in 0..1_000 {
                queue.push(item).unwrap();
            }
            queue.close();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 1_000);
    }
}
