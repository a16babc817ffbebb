//! The scenarios: what may happen in them is in their names, and the certificates say which were seen whole.

use std::fmt;
use std::str::FromStr;

use crate::scene::Scene;

/// Something that may happen.
pub struct Ingredient {
    /// What it is called in the name of a scenario.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    add: fn(&mut Scene),
}

/// Everything that may happen, in the order in which a name has it. A task that completes in one turn is always there.
pub const INGREDIENTS: &[Ingredient] = &[
    Ingredient {
        name: "child",
        about: "the root has a subtask; twice for two",
        add: |scene| scene.script.subtasks += 1,
    },
    Ingredient { name: "tool", about: "the root runs a tool", add: |scene| scene.script.tool = true },
    Ingredient {
        name: "message",
        about: "a person writes to the root; twice for two",
        add: |scene| scene.messages += 1,
    },
    Ingredient {
        name: "pause",
        about: "a person pauses the root, and a timer later it goes on",
        add: |scene| scene.pauses = true,
    },
    Ingredient { name: "cancel", about: "a person cancels the root", add: |scene| scene.cancels = true },
    Ingredient {
        name: "retry",
        about: "the first send (that of a subtask) may fail, and is sent again after a wait",
        add: |scene| scene.script.fails = true,
    },
    Ingredient {
        name: "token",
        about: "the access token has expired, and its refresh token works once",
        add: |scene| scene.expired = true,
    },
    Ingredient {
        name: "pool",
        about: "the root needs an agent, of which there are two",
        add: |scene| {
            scene.pool.get_or_insert_default();
        },
    },
    Ingredient {
        name: "death",
        about: "a pool too, and an agent dies with its task",
        add: |scene| scene.pool.get_or_insert_default().deaths = 1,
    },
    Ingredient {
        name: "lease",
        about: "a pool too, and nothing is heard of an agent until its lease is over",
        add: |scene| scene.pool.get_or_insert_default().expires = true,
    },
    Ingredient {
        name: "slow",
        about: "others may go on while a commit is under way",
        add: |scene| scene.is_slow = true,
    },
    Ingredient { name: "disk", about: "a commit may fail, done or not", add: |scene| scene.failures += 1 },
    Ingredient {
        name: "kill",
        about: "the process is killed at any point, and started again; twice for two",
        add: |scene| scene.kills += 1,
    },
];

/// The name of the scenario in which nothing else happens.
const ALONE: &str = "task";

/// A scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    name: String,
    scene: Scene,
}

impl Scenario {
    /// Its name, from which it can be made again.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What may happen in it.
    pub fn scene(&self) -> Scene {
        self.scene
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(name: &str) -> Result<Self, ScenarioError> {
        let mut scene = Scene::default();
        for word in name.split('+').filter(|word| *word != ALONE) {
            let found = INGREDIENTS.iter().find(|ingredient| ingredient.name == word);
            (found.ok_or_else(|| ScenarioError::Unknown(word.to_owned()))?.add)(&mut scene);
        }
        let most = [
            ("child", u32::from(scene.script.subtasks)),
            ("message", scene.messages),
            ("disk", scene.failures),
            ("kill", scene.kills),
        ];
        match most.into_iter().find(|(_, times)| *times > 2) {
            Some((word, _)) => Err(ScenarioError::TooOften(word)),
            None => Ok(Self { name: name.to_owned(), scene }),
        }
    }
}

/// Why there is no such scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScenarioError {
    /// Nothing that may happen is called so.
    Unknown(String),
    /// It happens twice at most.
    TooOften(&'static str),
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(word) => {
                let names: Vec<_> = INGREDIENTS.iter().map(|ingredient| ingredient.name).collect();
                write!(
                    f,
                    "there is no `{word}`; a scenario is `{ALONE}`, or some of these with + between them: {}",
                    names.join(", ")
                )
            }
            Self::TooOften(word) => write!(f, "`{word}` may stand in a name twice, and not more often"),
        }
    }
}

impl std::error::Error for ScenarioError {}

/// What is known of a scenario of which every execution was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The name of the scenario.
    pub scenario: &'static str,
    /// So many executions were tried.
    pub executions: u64,
    /// Steps of the longest of them.
    pub longest: usize,
}

/// The scenarios that are seen whole in continuous integration.
pub const CERTIFICATES: &[Certificate] = &[
    of("task", 4, 17),
    of("child", 4, 25),
    of("child+child", 88, 30),
    of("tool", 4, 23),
    of("message", 164, 22),
    of("child+message", 216, 30),
    of("child+message+message", 34_604, 35),
    of("child+child+message", 5_656, 35),
    of("child+retry", 8, 32),
    of("child+child+message+retry", 33_784, 42),
    of("token", 64, 41),
    of("child+token", 64, 49),
    of("child+message+token", 5_056, 54),
    of("child+message+retry+token", 10_688, 61),
    of("cancel", 76, 22),
    of("tool+cancel", 140, 28),
    of("child+cancel", 164, 30),
    of("child+message+cancel", 16_556, 35),
    of("pause", 96, 24),
    of("child+pause", 300, 32),
    of("child+message+pause", 20_144, 37),
    of("child+pause+token", 36_352, 56),
    of("child+message+pause+retry", 131_140, 44),
    of("child+child+message+pause", 1_046_984, 42),
    of("message+slow", 1_076, 38),
    of("child+message+slow", 3_248, 56),
    of("child+child+slow", 2_136, 58),
    of("slow+disk", 492, 48),
    of("child+disk", 596, 38),
    of("pool", 512, 33),
    of("death", 19_200, 46),
    of("child+death", 94_976, 54),
    of("lease", 575_040, 49),
    of("kill", 1_056, 31),
    of("child+kill", 1_472, 39),
    of("tool+kill", 1_376, 37),
    of("child+retry+kill", 3_200, 46),
    of("cancel+kill", 78_624, 38),
    of("child+message+kill", 274_112, 46),
    of("child+token+kill", 99_840, 72),
    of("slow+kill", 6_176, 49),
    of("child+slow+kill", 37_824, 67),
];

const fn of(scenario: &'static str, executions: u64, longest: usize) -> Certificate {
    Certificate { scenario, executions, longest }
}
