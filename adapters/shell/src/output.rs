//! What a model says while its response arrives, on its way to whoever watches.
//!
//! Who has read the beginning of one response cannot be given another (S18). So the first piece of a send goes out when it is on record that
//! output of that send does ([`RequestEvent::OutputDelivered`]): it waits for one commit, and those after it for nothing but the viewer. If
//! the request does not take that, because the send was told to stop or is over, nothing of the send goes out at all.

use crate::act::Actor;
use crate::bounds::Pulse;
use crate::contain::{asked, contained};
use crate::fault::{self, Fault};
use crate::ports::{Doing, Question, SendEnd, Trial};
use crate::shard::{Answered, Letter};
use crate::trace::Subject;
use downbeat_kernel::{Event, Outcome, RequestEvent, RequestId, SendFailure};
use downbeat_rt::{First, Receiver, Rt, Sender, first_of};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// Pieces that wait for the viewer: one that the model has ready while the one before is shown.
const PIECES_MAX: usize = 1;

/// Where an adapter says what arrives of a response. One whose provider does not stream has no need of it.
#[derive(Clone)]
pub struct Output {
    pieces: Sender<String>,
    /// Nobody waits for a sign of life where a model may be silent for ever.
    pulse: Option<Pulse>,
}

impl Output {
    /// Says what comes next, and waits until there is room for it. It goes nowhere if nobody watches, or if it may not go out, or when the
    /// send is over. What the whole response says is said with its end, and not here alone.
    ///
    /// Who says something is alive ([`Bounds::silence_ms_max`](crate::Bounds::silence_ms_max)), also while there is no room for it. An empty
    /// piece is a sign of life and nothing else.
    pub async fn say(&self, text: String) {
        let _alive = self.pulse.as_ref().map(Pulse::beat);
        if !text.is_empty() {
            // Whoever has stopped listening does not come back.
            let _ = self.pieces.send(text).await;
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Output")
    }
}

/// A piece of a response that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Of which send. If that comes to nothing, so does this; no other send of the same turn has any.
    pub id: RequestId,
    /// Which attempt its task belongs to. Once there is a piece of a later one, all of those before has come to nothing.
    pub trial: Trial,
    /// Which piece, from 1, without gaps.
    pub number: u32,
    /// What it says.
    pub text: String,
}

/// Whoever watches responses arrive.
pub trait Viewer: Send + Sync {
    /// Shows a piece: done when there is room for the next one. Until then the model is not listened to, and its response has not ended;
    /// other sends go on. One that takes longer than [`ShellConfig::view_ms_max`](crate::ShellConfig::view_ms_max) is shown nothing more of that send. No piece is shown twice, and after a crash, or a panic in here, pieces are missing: what a model has said is on
    /// record with the end of its response.
    fn show(&self, excerpt: Excerpt) -> Doing<()>;
}

impl Actor {
    /// Sends, and lets out what is said meanwhile. Nothing goes out after it is done or dropped.
    pub(crate) fn send(&self, question: Question, trial: Trial) -> Doing<SendEnd> {
        let id = question.id;
        let subject = Subject::of("Model::send", id.task).turn(id.turn).attempt(id.attempt);
        let (mut bound, pulse) = self.bound(self.bounds.silence_ms_max, subject).with_pulse();
        let (saying, pieces) = self.rt.channel("output", PIECES_MAX);
        let output = Output { pieces: saying.clone(), pulse };
        let sent = asked(|| self.ports.model.send(question, output));
        // One that panics or falls silent may be made again.
        let lost = SendEnd::Failed(SendFailure::Transient);
        let sent = async move { bound.wait(sent).await.unwrap_or(lost) };
        // Where nobody watches nothing goes out, and a send that fails may be followed by another.
        let Some(viewer) = self.ports.viewer.clone() else { return Box::pin(sent) };
        let view_ms_max = self.view_ms_max;
        let way = Way { id, trial, view_ms_max, viewer, mailbox: self.mailbox.clone(), rt: self.rt.clone() };
        Box::pin(async move {
            let mut sent = pin!(sent);
            let mut shown = pin!(way.show(pieces));
            match first_of(sent.as_mut(), shown.as_mut()).await {
                First::Left(end) => {
                    if let SendEnd::Whole(_) = end {
                        // What it has said goes out before its end.
                        saying.seal();
                        shown.await;
                    }
                    end
                }
                First::Right(()) => sent.await,
            }
        })
    }
}

/// The way of the pieces of one send.
struct Way {
    id: RequestId,
    trial: Trial,
    view_ms_max: u64,
    viewer: Arc<dyn Viewer>,
    mailbox: Sender<Letter>,
    rt: Rt,
}

impl Way {
    /// Shows what is said, in its order, until nothing more can be said, or nothing may go out.
    async fn show(&self, mut pieces: Receiver<String>) {
        let mut number = 0;
        while let Some(text) = pieces.next().await {
            if number == 0 && !fault::has(Fault::ShowsFirst) && !self.may_begin().await {
                return;
            }
            number += 1;
            let excerpt = Excerpt { id: self.id, trial: self.trial, number, text };
            // A viewer that panics has not shown it.
            let shown = contained(asked(|| self.viewer.show(excerpt)));
            let late = self.rt.sleep(Duration::from_millis(self.view_ms_max));
            if let First::Right(()) = first_of(shown, late).await {
                return;
            }
        }
    }

    /// Whether it is on record that output of this send goes out.
    async fn may_begin(&self) -> bool {
        let RequestId { task, turn, attempt } = self.id;
        let event = Event::Request { task, turn, event: RequestEvent::OutputDelivered { attempt } };
        let answered = Letter::of(event, None).answered(&self.rt, &self.mailbox).await;
        matches!(answered, Ok(Answered { outcome: Outcome::Applied, .. }))
    }
}
