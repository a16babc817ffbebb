//! Subtasks that workers run, and what is said of them when they are over, or those above them.

use crate::crew::{Act, Crew, Heard};
use crate::cuts::lines;
use crate::stage::{Seen, World, journal, says};
use crate::stopping::a_moment;
use crate::story::{A, DONE, life};
use crate::trials::{attempt, tried};
use crate::tries::{B, FAILED, completed, end, submit};
use crate::workers::{begins, finishes, patient, start_with};
use downbeat_kernel::{About, Budget, TaskId};
use downbeat_shell::Wish;
use std::path::Path;

const C: TaskId = TaskId(3);

/// How many tasks the tree has forgotten.
async fn forgotten(path: &Path) -> usize {
    lines(path).await.iter().filter(|line| line.contains("EndAcknowledged") && line.contains("Tree")).count()
}

/// The task is over and people know, and nobody has taken the report of its subtask: a crash keeps neither its words nor whose it is from them.
#[test]
fn report_of_a_subtask_outlives_the_end_of_those_above_it() {
    let (path, world) = (
        journal("subtasks-report"),
        World::of(
            FAILED
                .into_iter()
                .chain([says("", &[(Wish::Subtask, "count the files")]), says("", &[(DONE, "three")])]),
        ),
    );
    let crew = Crew::of([[begins(&[Act::Reports(1, "one so far")]), finishes("two")].concat()]);
    crew.leaves(A);
    crew.runs(C);
    crew.is_deaf(true);
    let reported = Heard::Reported(C, 1, "one so far".to_owned());
    life(async {
        let shell = start_with(&path, tried(), &crew.in_world(&world)).await;
        submit(&shell).await;
        assert_eq!(end(&world).await, completed(2, "three"));
        crew.until(reported.clone()).await;
        a_moment().await;
        assert_eq!(forgotten(&path).await, 1, "the first attempt has nothing to say");
    });
    crew.take_heard();
    crew.take_trials();
    crew.is_deaf(false);
    life(async {
        let _shell = start_with(&path, tried(), &crew.in_world(&world)).await;
        while crew.heard().is_empty() {
            a_moment().await;
        }
        assert_eq!(crew.heard(), [reported]);
        assert_eq!(crew.take_trials().into_iter().collect::<Vec<_>>(), [("report", C, attempt(2))]);
        a_moment().await;
        assert_eq!(forgotten(&path).await, 3, "nothing is left");
    });
}

/// The tree pays, and that lives.
#[tokio::test]
async fn bill_of_a_subtask_that_is_forgotten_is_drawn_from_the_budget_of_its_tree() {
    let (path, world) = (journal("subtasks-bill"), World::default());
    let of_subtask = [begins(&[Act::SpendsLate(120)]), finishes("two")].concat();
    let crew = Crew::of([begins(&[Act::Delegates("count the files"), Act::Waits]), of_subtask]);
    crew.runs(B);
    let shell = start_with(&path, patient(), &crew.in_world(&world)).await;
    let budget = Budget { tokens: 100, ..Budget::default() };
    shell.submit("go".to_owned(), budget).await.expect("it runs");
    crew.until(Heard::Gone(B, 1)).await;
    while forgotten(&path).await == 0 {
        a_moment().await;
    }
    crew.late.add_permits(1);
    world.until(|seen| matches!(seen, Seen::Asked(_, About::Budget, _))).await;
}
