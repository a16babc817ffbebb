//! What each event means, kind by kind.

use super::agents::Agent;
use super::credentials::Credential;
use super::found::Found;
use super::recursion::Approach;
use super::task::{Gone, Outcome, Task};
use super::{DEPTH_MAX, Moment, Monitor, Notable};
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
                    credential.ended();
                }
            }
            Kind::CredentialStored => self.credential_stored(event, found),
            Kind::Interrupt => {
                let turn = event.number(Field::Turn);
                self.with(now, event, found, |task| task.requests.interrupted(turn));
            }
            Kind::Pause => {
                found.staked(Property::S13);
                self.with(now, event, found, |task| task.is_paused = true);
            }
            Kind::Resume => self.with(now, event, found, |task| task.is_paused = false),
            Kind::Cancel => {
                found.staked(Property::S19);
                found.staked(Property::L2);
                self.with(now, event, found, |task| task.is_cancelled = true);
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
        let parent = event.get(Field::Parent);
        if let Some(parent) = parent {
            if self.is_cancelled(parent) {
                found.broke(Fault::BeganAfterCancel);
            }
            if self.ended.get(parent).is_some() {
                found.broke(Fault::StartedUnderEnded);
            } else if let Some(task) = self.live(parent, now, found) {
                if task.is_paused {
                    found.broke(Fault::WentOnWhilePaused);
                }
                if !task.live.iter().any(|live| live == name) {
                    task.live.push(name.into());
                }
            }
        }
        let Some(task) = self.live(name, now, found) else { return };
        if task.is_cancelled && !task.is_born {
            found.staked(Property::S21);
            found.broke(Fault::StartedAfterCancel);
        }
        (task.is_born, task.last) = (true, now);
        task.parent = parent.map(Key::from);
    }

    fn task_ended(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let (Some(name), Some(end)) = (event.get(Field::Task), event.end) else { return };
        found.staked(Property::S7);
        if let Some(gone) = self.ended.get(name) {
            if gone.end != end {
                found.broke(Fault::EndedAgain);
            }
            return;
        }
        let Some(task) = self.live(name, now, found) else { return };
        if !task.live.is_empty() {
            found.broke(Fault::LiveUnderEnded);
        }
        if task.parent.is_none() {
            found.staked(Property::S9);
        }
        if end == End::Completed && !task.owed.is_empty() {
            found.broke(Fault::CompletedWithoutResult);
        }
        if task.notified.is_some_and(|notified| notified != end) {
            found.broke(Fault::ToldOtherwise);
        }
        let Some((key, task)) = self.tasks.remove_entry(name) else { return };
        let Task { parent, outcome, notified, messages, recursion, given, owed, agent, .. } = task;
        for child in given.iter().chain(&owed) {
            self.taken(child);
        }
        if let Some(agent) = agent.and_then(|agent| self.agents.get_mut(&agent)) {
            // Whoever releases it may say so later.
            agent.task = agent.task.take().filter(|task| task != name);
        }
        if let Some(parent) = parent.as_ref().and_then(|parent| self.tasks.get_mut(parent)) {
            parent.live.retain(|live| live != name);
            if outcome == Outcome::Owed {
                parent.owed.push(key.clone());
            }
        }
        if recursion.is_notable() {
            if self.notable.len() < self.limits.notable_max {
                self.notable.push(Notable { task: key.to_string(), calls: recursion });
            } else {
                self.notable_more += 1;
            }
        }
        let gone = Gone { end, parent, outcome, notified, messages };
        if let Some(forgotten) = self.ended.push(key, gone, self.limits.ended_max) {
            // Of one that is forgotten nobody knows any more that it has ended.
            found.lost(Property::S7);
            found.lost(Property::S24);
            if forgotten.parent.is_some() {
                found.lost(Property::S3);
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
        if !task.owed.is_empty() || !task.given.is_empty() {
            found.staked(Property::S4);
        }
        if !task.owed.is_empty() {
            found.broke(Fault::SentWithoutResult);
        }
        if task.is_paused {
            found.broke(Fault::WentOnWhilePaused);
        }
        if !task.live.is_empty() {
            task.recursion.approach(now, Approach::BeganBesideSubtask);
        }
        task.calls.sent(found);
        task.requests.started(event, found);
        task.recursion.sent(now);
    }

    fn request_delta(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        found.staked(Property::S18);
        let Some(task) = self.of_live(now, event, found) else { return };
        task.requests.shown(event, found);
    }

    fn request_ended(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(name) = event.get(Field::Task) else { return };
        let is_cancelled = self.is_cancelled(name);
        let Some(task) = self.of_live(now, event, found) else { return };
        let is_bound_to_stop = is_cancelled || task.is_paused;
        task.requests.ended(event, is_bound_to_stop, found);
        task.recursion.answered(now);
        match event.end {
            Some(End::Completed) => {
                found.staked(Property::S18);
                task.messages.answered();
                for child in std::mem::take(&mut task.given) {
                    self.taken(&child);
                }
            }
            Some(End::Stopped) => found.staked(Property::S12),
            Some(End::Failed | End::Cancelled | End::Refused | End::Unknown) | None => {}
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
        let (parent, outcome) = match (self.tasks.get_mut(child), self.ended.get_mut(child)) {
            (Some(live), _) => (&live.parent, &mut live.outcome),
            (None, Some(gone)) => (&gone.parent, &mut gone.outcome),
            // It began before the trace, or is forgotten.
            (None, None) => return,
        };
        let Some(parent) = parent else { return };
        if parent != name {
            return found.broke(Fault::ResultToStranger);
        }
        match *outcome {
            Outcome::Owed => *outcome = Outcome::Given { turn },
            Outcome::Given { turn: before } if before.is_some() && before == turn => return,
            Outcome::Given { .. } | Outcome::Taken => return found.broke(Fault::ResultTwice),
        }
        let Some(task) = self.of_live(now, event, found) else { return };
        task.owed.retain(|owed| owed != child);
        task.given.push(child.into());
        if task.requests.in_flight() > 0 {
            task.recursion.approach(now, Approach::ResultWhileRunning);
        }
    }

    fn message_queued(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(message) = event.get(Field::Message) else { return };
        let Some(task) = self.of_live(now, event, found) else { return };
        task.messages.queued(message, found);
    }

    fn message_delivered(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(message) = event.get(Field::Message) else { return };
        found.staked(Property::S5);
        let Some(task) = self.of_live(now, event, found) else { return };
        task.messages.given(message, task.is_born, found);
    }

    fn message_returned(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let (Some(name), Some(message)) = (event.get(Field::Task), event.get(Field::Message)) else { return };
        found.staked(Property::S5);
        if let Some(gone) = self.ended.get_mut(name) {
            return gone.messages.returned(message, false, found);
        }
        let Some(task) = self.of_live(now, event, found) else { return };
        task.messages.returned(message, task.is_born, found);
    }

    fn question(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let Some(question) = event.get(Field::Question) else { return };
        let Some(task) = self.of_live(now, event, found) else { return };
        task.questions.asked(question, found);
    }

    fn answer(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        if event.get(Field::Settles).is_some() {
            found.staked(Property::S6);
        }
        let Some(task) = self.of_live(now, event, found) else { return };
        task.questions.answered(event, task.is_born, found);
    }

    fn notified(&mut self, event: &Event<'_>, found: &mut Found) {
        let Some(name) = event.get(Field::Task) else { return };
        found.staked(Property::S24);
        let (told, end) = match (self.tasks.get_mut(name), self.ended.get_mut(name)) {
            (Some(live), _) => (&mut live.notified, None),
            (None, Some(gone)) => (&mut gone.notified, Some(gone.end)),
            (None, None) => return,
        };
        let before = told.or(end);
        if before.is_some() && before != event.end {
            found.broke(Fault::ToldOtherwise);
        }
        *told = told.or(event.end);
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
        let before = self.agent(agent, found).and_then(|entry| entry.task.replace(name.into()));
        if before.is_some_and(|before| before != *name) {
            found.broke(Fault::SecondTask);
        }
        let Some(task) = self.of_live(now, event, found) else { return };
        let before = task.agent.replace(agent.into());
        if before.is_some_and(|before| before != *agent) {
            found.broke(Fault::SecondAgent);
        }
        task.epoch = epoch.or(task.epoch);
    }

    fn agent_active(&mut self, now: Moment, event: &Event<'_>, found: &mut Found) {
        let epoch = event.number(Field::Epoch);
        let Some(task) = self.of_live(now, event, found) else { return };
        if task.epoch.zip(epoch).is_some_and(|(current, epoch)| epoch < current) {
            found.broke(Fault::OldEpoch);
        }
    }

    fn agent_released(&mut self, event: &Event<'_>) {
        let Some(name) = event.get(Field::Agent) else { return };
        let Some(agent) = self.agents.get_mut(name) else { return };
        if let Some(task) = agent.task.take().and_then(|task| self.tasks.get_mut(&task)) {
            task.agent = task.agent.take().filter(|agent| agent != name);
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
        if self.agents.get(name).is_some_and(Agent::is_idle) {
            self.agents.remove(name);
        }
    }

    fn restarted(&mut self, now: Moment) {
        for task in self.tasks.values_mut() {
            task.requests.restarted();
            task.calls.restarted();
            task.recursion.restarted(now);
        }
        for credential in self.credentials.values_mut() {
            credential.refreshing = 0;
        }
        for agent in self.agents.values_mut() {
            agent.restarted();
        }
    }

    /// The parent's model has the result of this subtask.
    fn taken(&mut self, child: &Key) {
        if let Some(gone) = self.ended.get_mut(&child.name()) {
            gone.outcome = Outcome::Taken;
        }
        if let Some(live) = self.tasks.get_mut(child) {
            live.outcome = Outcome::Taken;
        }
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
                found.lost(Property::S10);
                found.lost(Property::S20);
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
