//! What each event means, kind by kind.

use super::agents::Agent;
use super::credentials::Credential;
use super::found::Found;
use super::messages::Messages;
use super::recursion::Approach;
use super::task::{Gone, Holder, OUTCOMES_MAX, Outcome, Subtask, Task};
use super::{DEPTH_MAX, Moment, Monitor, questions};
use crate::event::{End, Event, Field, Kind};
use crate::fault::Fault;
use crate::name::{Key, Name};
use crate::property::Property;

impl Monitor {
    pub(super) fn step(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        match event.kind {
            Kind::TaskStarted => self.task_started(now, event, found),
            Kind::TaskEnded => self.task_ended(now, event, found),
            Kind::RequestStarted => self.request_started(now, event, found),
            Kind::RequestDelta => self.request_delta(now, event, found),
            Kind::RequestEnded => self.request_ended(now, event, found),
            Kind::ToolCall => self.tool_call(now, event, found),
            Kind::ToolStarted => self.tool_started(now, event, found),
            Kind::ToolResult => self.tool_result(now, event, found),
            Kind::ResultDelivered => self.result_delivered(now, event, found),
            Kind::MessageQueued => self.message_queued(now, event, found),
            Kind::MessageDelivered => self.message_delivered(now, event, found),
            Kind::MessageReturned => self.message_returned(now, event, found),
            Kind::Question => self.question(now, event, found),
            Kind::Answer => self.answer(now, event, found),
            Kind::RefreshStarted => self.refresh_started(event, found),
            Kind::RefreshEnded => {
                if let Some(credential) = self.credential(event, found) {
                    credential.ended(event);
                }
            }
            Kind::CredentialStored => self.credential_stored(event, found),
            Kind::Interrupt => {
                let turn = event.number(Field::Turn);
                self.with(now, event, found, |task| task.requests.interrupted(turn));
            }
            Kind::Pause => {
                found.staked(Property::S13);
                self.with(now, event, found, |task| {
                    task.is_paused = true;
                    task.requests.interrupted(None);
                });
            }
            Kind::Resume => self.with(now, event, found, |task| {
                (task.is_paused, task.is_cancelled) = (false, false);
                task.requests.resumed();
            }),
            Kind::Cancel => {
                found.staked(Property::S19);
                found.staked(Property::L2);
                if event.get(Field::Task).is_some_and(|task| !self.tasks.contains_key(task)) {
                    found.staked(Property::S21);
                }
                self.with(now, event, found, |task| {
                    task.is_cancelled = true;
                    task.requests.interrupted(None);
                });
            }
            Kind::AgentAssigned => self.agent_assigned(now, event, found),
            Kind::AgentActive => self.agent_active(now, event, found),
            Kind::AgentReleased => self.agent_released(event),
            Kind::IteratorStarted => self.iterator_started(event, found),
            Kind::IteratorEnded => self.iterator_ended(event, found),
            Kind::Notified => self.notified(event, found),
            Kind::CallEntered => self.with(now, event, found, |task| {
                if !task.live.is_empty() {
                    task.recursion.approach(now, Approach::BeganBesideSubtask);
                }
                task.recursion.entered(now);
            }),
            Kind::CallLeft => self.with(now, event, found, |task| task.recursion.left(now)),
            Kind::LockWaited => self.with(now, event, found, |task| task.recursion.waited(now)),
            Kind::LockTaken => self.with(now, event, found, |task| task.recursion.locked(now, true)),
            Kind::LockReleased => self.with(now, event, found, |task| task.recursion.locked(now, false)),
            Kind::Restart => self.restarted(now),
        }
    }

    fn task_started(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(name) = event.get(Field::Task) else { return };
        found.staked(Property::L1);
        if self.ended.get(name).is_some() {
            return found.broke(Fault::StartedAfterEnd);
        }
        // Nobody is above itself: a parent that would be says nothing.
        let parent = event.get(Field::Parent).filter(|parent| !self.is_above(name, parent));
        if let Some(parent) = parent {
            if self.is_cancelled(parent) {
                found.broke(Fault::BeganAfterCancel);
            }
            if self.ended.get(parent).is_some() {
                found.broke(Fault::StartedUnderEnded);
            } else if let Some(task) = self.live(parent, now, found)
                && task.is_paused
            {
                found.broke(Fault::WentOnWhilePaused);
            }
        }
        let Some(task) = self.live(name, now, found) else { return };
        if task.is_cancelled && !task.is_born {
            found.staked(Property::S21);
            found.broke(Fault::StartedAfterCancel);
        }
        (task.is_born, task.last) = (true, now);
        // One that begins again, after a crash, stays a subtask of the same parent.
        if task.parent.is_some() {
            return;
        }
        task.parent = parent.map(Key::from);
        let mut number = 0;
        if let Some(task) = parent.and_then(|parent| self.tasks.get_mut(parent)) {
            number = task.subtasks;
            task.subtasks += 1;
            task.live.insert(number, name.into());
        }
        if let Some(task) = self.tasks.get_mut(name) {
            task.number = number;
        }
    }

    fn task_ended(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let (Some(name), Some(end)) = (event.get(Field::Task), event.end) else { return };
        found.staked(Property::S7);
        if let Some(gone) = self.ended.get(name) {
            if contradicts(gone.end, end) {
                found.broke(Fault::EndedAgain);
            }
            return;
        }
        let Some(task) = self.live(name, now, found) else { return };
        if task.subtasks > 0 {
            found.staked(Property::S9);
        }
        if !task.live.is_empty() {
            found.broke(Fault::LiveUnderEnded);
        }
        if end == End::Completed && !task.owed.is_empty() {
            found.broke(Fault::CompletedWithoutResult);
        }
        if task.notified.is_some_and(|notified| contradicts(notified, end)) {
            found.broke(Fault::ToldOtherwise);
        }
        if !matches!(end, End::Cancelled | End::Unknown) && task.requests.is_stopped_by_nobody() {
            found.broke(Fault::StoppedAnother);
        }
        let Some((key, task)) = self.tasks.remove_entry(name) else { return };
        let Task {
            parent,
            number,
            outcome,
            notified,
            mut messages,
            recursion,
            given,
            owed,
            holder,
            is_born,
            requests,
            ..
        } = task;
        messages.task_ended(requests.in_flight() > 0);
        for child in given.iter().chain(owed.iter().map(|owed| &owed.name)) {
            self.turn_to(child, Outcome::Taken);
        }
        if let Some(agent) = holder.agent().and_then(|agent| self.agents.get_mut(agent)) {
            // Whoever releases it may say so later.
            agent.task = agent.task.take().filter(|task| task != name);
        }
        if let Some(parent) = parent.as_ref().and_then(|parent| self.tasks.get_mut(parent)) {
            let is_beside = number < parent.beside;
            let subtask = parent.live.remove(&number).map(|name| Subtask { name, is_beside });
            if let Some(subtask) = subtask.filter(|_| outcome == Outcome::Owed) {
                if parent.owed.len() < OUTCOMES_MAX {
                    parent.owed.push(subtask);
                } else {
                    found.lost(Property::S3);
                    found.lost(Property::S4);
                }
            }
        }
        self.keep_calls(&key, recursion);
        let gone = Gone { end, parent, is_born, outcome, notified, messages };
        if let Some(forgotten) = self.ended.push(key, gone, self.limits.ended_max) {
            // Of one that is forgotten nobody knows any more that it has ended.
            self.has_forgotten = true;
            for property in [Property::S7, Property::S9, Property::S24] {
                found.lost(property);
            }
            if forgotten.parent.is_some() {
                found.lost(Property::S3);
            }
            if forgotten.messages.first().is_some() {
                found.lost(Property::S5);
            }
        }
    }

    fn request_started(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(name) = event.get(Field::Task) else { return };
        if self.ended.get(name).is_some() {
            return found.broke(Fault::SentAfterEnd);
        }
        if self.is_cancelled(name) {
            found.broke(Fault::SentAfterCancel);
        }
        found.staked(Property::S1);
        if event.get(Field::Turn).is_some() {
            found.staked(Property::S2);
        }
        let Some(task) = self.live(name, now, found) else { return };
        task.last = now;
        if task.requests.is_refused() {
            found.staked(Property::S17);
        }
        let is_waited_for = |owed: &Subtask| !owed.is_beside;
        if task.owed.iter().any(is_waited_for) {
            found.broke(Fault::SentWithoutResult);
        } else if !task.given.is_empty() {
            found.staked(Property::S4);
        }
        if task.is_paused {
            found.broke(Fault::WentOnWhilePaused);
        }
        if !task.live.is_empty() {
            task.recursion.sent_beside(now);
            // It does not wait for them, so that their results may come later than with its next request.
            task.beside = task.subtasks;
        }
        task.calls.sent(task.requests.repeats(event), found);
        task.messages.sent(event.number(Field::Turn));
        task.taken.clear();
        task.requests.started(event, found);
        task.recursion.requests(now, task.requests.in_flight());
    }

    fn request_delta(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        found.staked(Property::S18);
        let Some(task) = self.of_live(now, event, found) else { return };
        task.requests.shown(event, found);
    }

    fn request_ended(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(name) = event.get(Field::Task) else { return };
        let is_above_over = |parent: &Key| self.ended.get(&parent.name()).is_some();
        let parent = self.tasks.get(name).and_then(|task| task.parent.as_ref());
        let is_cancelled = self.is_cancelled(name) || parent.is_some_and(is_above_over);
        let Some(task) = self.of_live(now, event, found) else { return };
        let is_bound_to_stop = is_cancelled || task.is_paused;
        let of_turn = task.requests.ended(event, is_bound_to_stop, found);
        task.recursion.requests(now, task.requests.in_flight());
        task.calls.request_ended(event.end);
        task.messages.request_ended(event.end, of_turn);
        let is_answered = event.end == Some(End::Completed);
        if is_answered {
            found.staked(Property::S18);
        }
        if event.end == Some(End::Stopped) {
            found.staked(Property::S12);
        }
        let given = std::mem::take(&mut task.given);
        let outcome = if is_answered { Outcome::Taken } else { Outcome::Again };
        let mut left = Vec::new();
        for child in given {
            if !self.is_carried(&child, of_turn) {
                left.push(child);
                continue;
            }
            self.turn_to(&child, outcome);
            if let Some(task) = self.tasks.get_mut(name).filter(|_| is_answered) {
                task.taken.push(child);
            }
        }
        if let Some(task) = self.tasks.get_mut(name) {
            task.given = left;
        }
    }

    fn tool_call(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(call) = event.get(Field::Call) else { return };
        let Some(task) = self.of_live(now, event, found) else { return };
        task.calls.made(call, found);
    }

    fn tool_started(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let (Some(name), Some(call)) = (event.get(Field::Task), event.get(Field::Call)) else { return };
        if self.ended.get(name).is_some() {
            return found.broke(Fault::RanAfterEnd);
        }
        if self.is_cancelled(name) {
            found.broke(Fault::BeganAfterCancel);
        }
        let Some(task) = self.of_live(now, event, found) else { return };
        if task.is_paused {
            found.broke(Fault::WentOnWhilePaused);
        }
        task.calls.ran(call, found);
    }

    fn tool_result(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(call) = event.get(Field::Call) else { return };
        found.staked(Property::S8);
        let Some(task) = self.of_live(now, event, found) else { return };
        task.calls.given(call, task.is_born, found);
    }

    fn result_delivered(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let (Some(name), Some(child)) = (event.get(Field::Task), event.get(Field::Child)) else { return };
        found.staked(Property::S3);
        let turn = event.number(Field::Turn);
        let (parent, is_born, outcome) = match (self.tasks.get_mut(child), self.ended.get_mut(child)) {
            (Some(live), _) => (&live.parent, live.is_born, &mut live.outcome),
            (None, Some(gone)) => (&gone.parent, gone.is_born, &mut gone.outcome),
            // It began before the trace, or is forgotten.
            (None, None) => return,
        };
        match parent {
            Some(parent) if parent == name => {}
            None if !is_born => return,
            Some(_) | None => return found.broke(Fault::ResultToStranger),
        }
        match *outcome {
            Outcome::Owed | Outcome::Again => *outcome = Outcome::Given { turn },
            Outcome::Given { turn: before } if before.is_some() && before == turn => return,
            Outcome::Given { .. } | Outcome::Taken => return found.broke(Fault::ResultTwice),
        }
        let Some(task) = self.of_live(now, event, found) else { return };
        task.owed.retain(|owed| owed.name != *child);
        if task.given.len() < OUTCOMES_MAX {
            task.given.push(child.into());
        } else {
            found.lost(Property::S3);
        }
        if task.requests.in_flight() > 0 {
            task.recursion.approach(now, Approach::ResultWhileRunning);
        }
    }

    fn message_queued(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(message) = event.get(Field::Message) else { return };
        let Some((messages, _)) = self.messages(now, event, found) else { return };
        messages.queued(message, found);
    }

    fn message_delivered(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(message) = event.get(Field::Message) else { return };
        found.staked(Property::S5);
        let turn = event.number(Field::Turn);
        let Some((messages, is_born)) = self.messages(now, event, found) else { return };
        messages.given(message, turn, is_born, found);
    }

    fn message_returned(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(message) = event.get(Field::Message) else { return };
        found.staked(Property::S5);
        let Some((messages, is_born)) = self.messages(now, event, found) else { return };
        messages.returned(message, is_born, found);
    }

    /// The messages of the task that an event is about, live or ended, and whether it was seen to begin.
    fn messages(
        &mut self,
        now: Moment,
        event: &Event<'_>,
        found: &mut Found,
    ) -> Option<(&mut Messages, bool)> {
        let name = event.get(Field::Task)?;
        if self.ended.get(name).is_some() {
            return self.ended.get_mut(name).map(|gone| (&mut gone.messages, gone.is_born));
        }
        self.of_live(now, event, found).map(|task| (&mut task.messages, task.is_born))
    }

    fn question(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(question) = event.get(Field::Question) else { return };
        let Some(task) = self.of_live(now, event, found) else { return };
        task.questions.asked(question, found);
    }

    fn answer(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        questions::named(event, found);
        let Some(task) = self.of_live(now, event, found) else { return };
        task.questions.answered(event, task.is_born, found);
    }

    fn notified(&mut self, event: &Event<'_>, found: &mut Found) {
        let Some(name) = event.get(Field::Task) else { return };
        let (told, end) = match (self.tasks.get_mut(name), self.ended.get_mut(name)) {
            (Some(live), _) => (&mut live.notified, None),
            (None, Some(gone)) => (&mut gone.notified, Some(gone.end)),
            // How it ended, if it did, was not seen.
            (None, None) => return,
        };
        found.staked(Property::S24);
        let Some(now) = event.end else { return };
        if told.or(end).is_some_and(|before| contradicts(before, now)) {
            found.broke(Fault::ToldOtherwise);
        }
        *told = told.filter(|told| *told != End::Unknown).or(Some(now));
    }

    fn refresh_started(&mut self, event: &Event<'_>, found: &mut Found) {
        found.staked(Property::S14);
        found.staked(Property::L5);
        if event.get(Field::Token).is_some() {
            found.staked(Property::S15);
        }
        if let Some(credential) = self.credential(event, found) {
            credential.started(event, found);
        }
    }

    fn credential_stored(&mut self, event: &Event<'_>, found: &mut Found) {
        let Some(generation) = event.number(Field::Generation) else { return };
        let Some(credential) = self.credential(event, found) else { return };
        if credential.has_stored() {
            found.staked(Property::S16);
        }
        credential.stored(generation, found);
    }

    fn agent_assigned(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let (Some(name), Some(agent)) = (event.get(Field::Task), event.get(Field::Agent)) else { return };
        found.staked(Property::S20);
        let epoch = event.number(Field::Epoch);
        let before = self.agent(agent, found).and_then(|entry| {
            entry.epoch = entry.epoch.max(epoch);
            entry.task.replace(name.into())
        });
        if before.is_some_and(|before| before != *name) {
            found.broke(Fault::SecondTask);
        }
        let Some(task) = self.of_live(now, event, found) else { return };
        let before = std::mem::replace(&mut task.holder, Holder::Agent(agent.into()));
        let before = before.agent().filter(|before| *before != agent).cloned();
        let is_newer = task.epoch.zip(epoch).is_some_and(|(current, epoch)| epoch > current);
        if before.is_some() && !is_newer {
            found.broke(Fault::SecondAgent);
        }
        task.epoch = task.epoch.max(epoch);
        // The one whose assignment is over has the task no more.
        if let Some(before) = before.and_then(|before| self.agents.get_mut(&before)) {
            before.task = before.task.take().filter(|task| task != name);
        }
    }

    fn agent_active(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let (agent, epoch) = (event.get(Field::Agent), event.number(Field::Epoch));
        let is_over = agent
            .and_then(|agent| self.agents.get(agent))
            .zip(epoch)
            .is_some_and(|(agent, epoch)| agent.is_over(epoch));
        let Some(task) = self.of_live(now, event, found) else {
            if is_over {
                found.broke(Fault::OldEpoch);
            }
            return;
        };
        let is_old = task.epoch.zip(epoch).is_some_and(|(current, epoch)| epoch < current);
        let is_new = task.epoch.zip(epoch).is_some_and(|(current, epoch)| epoch > current);
        let has_it = match (&task.holder, agent) {
            (Holder::Agent(current), Some(agent)) => current == agent,
            (Holder::Released, Some(_)) => false,
            (Holder::Unknown, _) | (_, None) => true,
        };
        if is_over || is_old || !has_it && !is_new {
            found.broke(Fault::OldEpoch);
        }
    }

    fn agent_released(&mut self, event: &Event<'_>) {
        let Some(name) = event.get(Field::Agent) else { return };
        let Some(agent) = self.agents.get_mut(name) else { return };
        if let Some(task) = agent.task.take().and_then(|task| self.tasks.get_mut(&task))
            && task.holder.agent().is_some_and(|agent| agent == name)
        {
            task.holder = Holder::Released;
        }
        self.forget_idle(name);
    }

    fn iterator_started(&mut self, event: &Event<'_>, found: &mut Found) {
        let (Some(name), Some(iterator)) = (event.get(Field::Agent), event.get(Field::Iterator)) else {
            return;
        };
        found.staked(Property::S10);
        if let Some(agent) = self.agent(name, found) {
            agent.began(iterator, found);
        }
    }

    fn iterator_ended(&mut self, event: &Event<'_>, found: &mut Found) {
        let (Some(name), Some(iterator)) = (event.get(Field::Agent), event.get(Field::Iterator)) else {
            return;
        };
        if let Some(agent) = self.agent(name, found) {
            agent.ended(iterator);
        }
        self.forget_idle(name);
    }

    /// An agent of which nothing is known that matters is forgotten.
    fn forget_idle(&mut self, name: &Name<'_>) {
        if self.agents.get(name).is_some_and(|agent| agent.is_idle() && agent.epoch.is_none()) {
            self.agents.remove(name);
        }
    }

    fn restarted(&mut self, now: Moment) {
        for task in self.tasks.values_mut() {
            task.requests.restarted();
            task.calls.restarted();
            task.messages.restarted();
            task.questions.restarted();
            task.recursion.restarted(now);
        }
        // What was part of a request that was in flight, or whose answer may be lost, may be delivered once more.
        let carried = self.tasks.values_mut().flat_map(|task| {
            std::mem::take(&mut task.given).into_iter().chain(std::mem::take(&mut task.taken))
        });
        for child in carried.collect::<Vec<_>>() {
            self.turn_to(&child, Outcome::Again);
        }
        for credential in self.credentials.values_mut() {
            credential.restarted();
        }
        for agent in self.agents.values_mut() {
            agent.restarted();
        }
    }

    /// What the result of this subtask is to its parent from now on.
    fn turn_to(&mut self, child: &Key, outcome: Outcome) {
        if let Some(gone) = self.ended.get_mut(&child.name()) {
            gone.outcome = outcome;
        }
        if let Some(live) = self.tasks.get_mut(child) {
            live.outcome = outcome;
        }
    }

    /// Whether a result was part of that turn, or of whichever was under way.
    fn is_carried(&self, child: &Key, of_turn: Option<u64>) -> bool {
        let live = self.tasks.get(child).map(|live| live.outcome);
        let outcome = live.or_else(|| self.ended.get(&child.name()).map(|gone| gone.outcome));
        match outcome {
            Some(Outcome::Given { turn }) => turn.zip(of_turn).is_none_or(|(turn, of_turn)| turn == of_turn),
            Some(Outcome::Owed | Outcome::Again | Outcome::Taken) | None => true,
        }
    }

    /// Whether a task is that one, or above it.
    fn is_above(&self, task: &Name<'_>, other: &Name<'_>) -> bool {
        let mut at = Some(other.clone());
        for _ in 0..DEPTH_MAX {
            let Some(name) = at else { return false };
            if name == *task {
                return true;
            }
            at = self.tasks.get(&name).and_then(|task| task.parent.as_ref()).map(Key::name);
        }
        false
    }

    /// Whether somebody asked for the end of this task, or of one above it.
    fn is_cancelled(&self, name: &Name<'_>) -> bool {
        let mut task = self.tasks.get(name);
        for _ in 0..DEPTH_MAX {
            let Some(at) = task else { return false };
            if at.is_cancelled {
                return true;
            }
            task = at.parent.as_ref().and_then(|parent| self.tasks.get(parent));
        }
        false
    }

    fn credential(&mut self, event: &Event<'_>, found: &mut Found) -> Option<&mut Credential> {
        let name = event.get(Field::Credential)?;
        if !self.credentials.contains_key(name) {
            if self.credentials.len() >= self.limits.others_max {
                for property in [Property::S14, Property::S15, Property::S16, Property::L5] {
                    found.lost(property);
                }
                return None;
            }
            self.credentials.insert(name.into(), Credential::default());
        }
        self.credentials.get_mut(name)
    }

    fn agent(&mut self, name: &Name<'_>, found: &mut Found) -> Option<&mut Agent> {
        if !self.agents.contains_key(name) {
            if self.agents.len() >= self.limits.others_max {
                // Those that do nothing make room: of them only the assignment that is over is known.
                self.agents.retain(|_, agent| !agent.is_idle());
                found.lost(Property::S20);
            }
            if self.agents.len() >= self.limits.others_max {
                found.lost(Property::S10);
                return None;
            }
            self.agents.insert(name.into(), Agent::default());
        }
        self.agents.get_mut(name)
    }

    /// The live task that an event is about; a new one if it was not heard of before.
    fn of_live(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) -> Option<&mut Task> {
        let name = event.get(Field::Task)?;
        if !self.ended.is_empty() && self.ended.get(name).is_some() {
            return None;
        }
        let task = self.live(name, now, found)?;
        task.last = now;
        Some(task)
    }

    fn with(&mut self, now: Moment, event: &Event<'_>, found: &mut Found, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.of_live(now, event, found) {
            change(task);
        }
    }

    /// The live task of that name, which has not ended.
    fn live(&mut self, name: &Name<'_>, now: Moment, found: &mut Found) -> Option<&mut Task> {
        if !self.tasks.contains_key(name) {
            if self.tasks.len() >= self.limits.live_max {
                for property in Property::ALL {
                    found.lost(*property);
                }
                return None;
            }
            self.task_count += 1;
            self.tasks.insert(name.into(), Task::new(now));
        }
        self.tasks.get_mut(name)
    }
}

/// Whether an end is another one. That nobody knew it contradicts nothing.
fn contradicts(before: End, now: End) -> bool {
    before != now && before != End::Unknown && now != End::Unknown
}
