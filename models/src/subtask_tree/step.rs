//! One step: what happens, what the machine makes of it that hears of it, and what comes of its orders.

use downbeat_sim::model::{Arrow, Lane};

use super::SubtaskTree;
use super::act::{Act, Action};
use super::asking::Asking;
use super::scenario::{Budget, Left};
use super::seen::Seen;
use super::state::{Breach, Breaches, Desk, Fleet, Post, Slot, State, Tables, Tree, Wish};
use super::vault::Vault;
use super::words::{self, TREE};
use downbeat_kernel::Event;
use downbeat_wiring::{Gate, Machine, Word, fenced, given_back, over, posted};

/// The state in the middle of a step.
pub(super) struct Step<'m> {
    pub(super) model: &'m SubtaskTree,
    pub(super) tree: Slot<'m, Tree>,
    pub(super) vault: Slot<'m, Vault>,
    pub(super) fleet: Slot<'m, Fleet>,
    pub(super) post: Slot<'m, Post>,
    pub(super) wish: Slot<'m, Wish>,
    pub(super) asking: Slot<'m, Asking>,
    pub(super) desk: Slot<'m, Desk>,
    pub(super) seen: Slot<'m, Seen>,
    left: Left,
    breaches: Breaches,
    /// The story of the step; `None` while the checker only wants the next state.
    pub(super) told: Option<&'m mut Vec<Arrow>>,
    pub(super) cut: Option<u8>,
    /// How many effects the machine gave.
    pub(super) effects: u8,
    pub(super) is_restarting: bool,
}

impl<'m> Step<'m> {
    pub(super) fn new(model: &'m SubtaskTree, state: &State, told: Option<&'m mut Vec<Arrow>>) -> Self {
        let Tables { tree, vault, fleet, post, wish, asking, desk, seen } = &model.tables;
        Self {
            model,
            tree: Slot::new(state.tree, tree),
            vault: Slot::new(state.vault, vault),
            fleet: Slot::new(state.fleet, fleet),
            post: Slot::new(state.post, post),
            wish: Slot::new(state.wish, wish),
            asking: Slot::new(state.asking, asking),
            desk: Slot::new(state.desk, desk),
            seen: Slot::new(state.seen, seen),
            left: state.left,
            breaches: Breaches::default(),
            told,
            cut: None,
            effects: 0,
            is_restarting: false,
        }
    }

    /// The state that the step has come to.
    pub(super) fn fold(self) -> State {
        State {
            tree: self.tree.fold(),
            vault: self.vault.fold(),
            fleet: self.fleet.fold(),
            post: self.post.fold(),
            wish: self.wish.fold(),
            asking: self.asking.fold(),
            desk: self.desk.fold(),
            seen: self.seen.fold(),
            left: self.left,
            breaches: self.breaches,
        }
    }

    /// Takes an action; `None` if it may not be taken.
    pub(super) fn take(&mut self, Action { act, cut }: Action) -> Option<()> {
        self.cut = cut;
        if let Some(budget) = act.budget() {
            self.left = self.left.spend(budget)?;
        }
        if self.told.is_some() {
            let arrow = words::act(&self.tree, &self.desk, act);
            self.tell(arrow.from, arrow.to, || arrow.text);
        }
        let is_applied = self.happens(act)?;
        // What people and troubles come to that nobody takes is nothing.
        if !is_applied && act.budget().is_some() && !self.breaches.is_any() {
            return None;
        }
        if cut.is_some() {
            // Where a grant would go unheard, S15 rests on there being no crash.
            if self.vault.is_owed_a_grant() {
                return None;
            }
            self.left = self.left.spend(Budget::Crashes)?;
            self.crash();
        }
        self.renumber();
        Some(())
    }

    /// What an act is outside, and what its machine makes of it. Whether that was applied; `None` if it cannot happen.
    fn happens(&mut self, act: Act) -> Option<bool> {
        match act {
            Act::Take(machine) => self.take_word(machine),
            Act::Tree(act) => {
                let event = self.tree.event(act)?;
                if let Some(event) = self.of_attempts(act) {
                    return self.cancels_wish(event);
                }
                self.happens_to_tree(act);
                let is_applied = self.is_taken(act) && self.inform_tree(event);
                self.judge_stray(act, is_applied);
                Some(is_applied)
            }
            Act::Vault(act) => {
                let event = self.vault.event(act);
                self.happens_to_vault(act);
                Some(event.is_none_or(|event| self.inform_vault(event)))
            }
            Act::Fleet(act) => {
                let event = self.fleet.event(act);
                self.happens_to_fleet(act);
                Some(event.is_none_or(|event| self.inform_fleet(event)))
            }
            Act::Post(act) => {
                let event = self.post.event(act);
                self.happens_to_post(act);
                Some(event.is_none_or(|event| self.inform_post(event)))
            }
            Act::Wish(act) => {
                let event = self.wish.event(act);
                self.happens_to_wish(act);
                Some(self.inform_wish(event))
            }
            Act::Worker(act) => {
                let event = self.tree.worker_event(self.understood(act))?;
                self.happens_to_worker(act);
                let is_applied = self.is_heard(act) && self.inform_tree(event);
                self.judge_worker(act, is_applied);
                Some(is_applied)
            }
            Act::Ask(act) => {
                let event = self.asking.event(act);
                self.happens_to_asking(act);
                Some(event.is_none_or(|event| self.inform_questions(event)))
            }
            Act::Crash => {
                self.crash();
                Some(true)
            }
        }
    }

    /// A machine takes the first word that waits for it.
    fn take_word(&mut self, machine: Machine) -> Option<bool> {
        let at = self.desk.words.iter().position(|word| word.to() == machine)?;
        let word = self.desk.words.remove(at);
        Some(match word {
            Word::Tree(event) => self.tell_tree(event),
            Word::NoPlace(task) => {
                self.desk.record.has_no_place(&self.tree.kernel, task);
                self.inform_tree(Event::CancelRequested { task })
            }
            Word::Begin(attempt) => self.begin(attempt),
            Word::Fence(attempt, query) => {
                match fenced(&self.tree.kernel, &self.desk.record, attempt, query) {
                    Ok(event) => self.inform_tree(event),
                    Err(found) => {
                        self.say(Word::Retry(found));
                        true
                    }
                }
            }
            Word::Wanted(request, newer_than) => {
                self.want(request, newer_than);
                true
            }
            Word::Pool(event) => self.inform_fleet(event),
            Word::Over(task, end) => {
                let event = over(&self.fleet.pool, task, end);
                event.is_none_or(|event| self.inform_fleet(event))
            }
            Word::Posted(news) => {
                let event = posted(&self.post.outbox, news);
                self.inform_post(event)
            }
            Word::Retry(event) => self.inform_wish(event),
            Word::Question(event) => self.inform_questions(event),
        })
    }

    /// An event of another machine comes to the tree. A place that nobody needs any more is given back.
    fn tell_tree(&mut self, event: Event) -> bool {
        let admitted = if let Event::Admitted { task } = event { Some(task) } else { None };
        let is_applied = self.inform_tree(event);
        if let Some(word) = admitted.and_then(|task| given_back(&self.tree.kernel, task)) {
            self.say(word);
        }
        is_applied
    }

    pub(super) fn note(&mut self, breach: Breach, is_so: bool) {
        self.breaches.note(breach, is_so);
    }

    /// Notes what was not applied and has changed or emitted something all the same (S25).
    pub(super) fn judge_outcome(&mut self, is_applied: bool, has_changed: impl FnOnce() -> bool) -> bool {
        if !is_applied {
            let has_changed = has_changed();
            self.note(Breach::Unapplied, has_changed);
        }
        is_applied
    }

    /// The effects that are released before the process crashes, if it does.
    pub(super) fn cut_short<E>(&mut self, effects: Vec<E>) -> impl Iterator<Item = E> + use<E> {
        self.effects = u8::try_from(effects.len()).unwrap_or(u8::MAX);
        effects.into_iter().take(self.cut.map_or(usize::MAX, usize::from))
    }

    /// Something is on its way to another machine.
    pub(super) fn say(&mut self, word: Word) {
        if !self.desk.words.contains(&word) {
            self.desk.words.push(word);
        }
    }

    pub(super) fn tell(&mut self, from: Lane, to: Lane, text: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: text() });
        }
    }

    /// The process crashes and starts again: what is on its way is lost, and every machine repeats what is outstanding.
    fn crash(&mut self) {
        self.tell(TREE, TREE, || "the process crashes, and starts again".to_owned());
        (self.desk.words, self.desk.gate) = (Vec::new(), Gate::default());
        self.crash_vault();
        self.crash_fleet();
        self.crash_tree();
        if self.model.scenario.outbox {
            self.crash_post();
        }
        if self.model.scenario.retry {
            self.crash_wish();
        }
        if self.model.scenario.has_questions() {
            self.crash_asking();
        }
    }

    fn renumber(&mut self) {
        self.renumber_vault();
        self.renumber_post();
        self.renumber_wish();
        self.renumber_asking();
    }
}
