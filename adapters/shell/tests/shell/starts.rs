//! Iterators that were ordered and of which nothing was heard.

use crate::crew::{Crew, Heard};
use crate::cuts::{lines, written};
use crate::fleet::{self, Fleet};
use crate::stage::journal;
use crate::story::{A, life};
use crate::workers::{begins, finishes, start_at, submit};
use downbeat_kernel::{Epoch, IteratorId};
use downbeat_shell::RunKey;

/// Its lease is over, and a crash takes the word that says so to its worker. Whoever runs it starts what it is ordered once: what it was ordered
/// under the first lease is not what it is ordered under the next.
#[test]
fn iterator_that_is_ordered_again_under_the_next_lease_has_another_key() {
    let (whole, path, fleet) = (journal("starts-whole"), journal("starts"), Fleet::default());
    let crew = Crew::of([vec![], [begins(&[]), finishes("done")].concat()]);
    crew.goes_elsewhere();
    let lines = life(async {
        let shell = start_at(&whole, &crew, &fleet).await;
        submit(&shell).await;
        crew.until(Heard::Ran(A, 1, Some(1))).await;
        fleet.is_stuck(true);
        fleet::gone(&shell, 1).await;
        shell.stop().await.expect("it stops");
        lines(&whole).await
    });
    let gone = lines.iter().position(|line| line.contains("Gone")).expect("it is on record");
    life(async {
        fleet.is_stuck(false);
        written(&path, &lines[..=gone]).await;
        let _shell = start_at(&path, &crew, &fleet).await;
        assert_eq!(fleet.ends(1).await, [fleet::completed(A)]);
    });
    let key = |epoch| RunKey { task: A, iterator: IteratorId(1), epoch: Some(Epoch(epoch)) };
    assert_eq!(crew.elsewhere(), [key(1), key(2)]);
    assert!(key(1) < key(2), "the first is fenced off");
}
