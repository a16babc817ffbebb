//! The scenarios: what may happen in them is in their names.

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
    Ingredient {
        name: "question",
        about: "the root asks a person; twice for two questions, which two people answer each",
        add: |scene| scene.script.questions += 1,
    },
    Ingredient { name: "cancel", about: "a person cancels the root", add: |scene| scene.cancels = true },
    Ingredient {
        name: "retry",
        about: "the first send (that of a subtask) may fail, or be throttled, and is sent again after a wait",
        add: |scene| scene.script.fails = true,
    },
    Ingredient {
        name: "hang",
        about: "that send may never be answered, nor a tool: the shell waits for two seconds",
        add: |scene| scene.script.hangs = true,
    },
    Ingredient {
        name: "error",
        about: "the first response of the root may be words alone, nothing, or an end beside other calls",
        add: |scene| scene.script.errs = true,
    },
    Ingredient {
        name: "cut",
        about: "somebody watches the response to that send arrive, which may be cut",
        add: |scene| scene.script.cuts = true,
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
    Ingredient {
        name: "disk",
        about: "a commit may fail, and nobody may know whether it is done",
        add: |scene| scene.failures += 1,
    },
    Ingredient {
        name: "kill",
        about: "the process is killed at any point, and started again; twice for two",
        add: |scene| scene.kills += 1,
    },
    Ingredient {
        name: "recall",
        about: "the provider may say after a kill what it had answered",
        add: |scene| scene.script.recalls = true,
    },
    Ingredient {
        name: "clock",
        about: "the clock may be an hour forward or back after a kill",
        add: |scene| scene.jumps = true,
    },
    Ingredient {
        name: "hours",
        about: "every wait may be over, not only the short ones: time passes",
        add: |scene| scene.waits_end = true,
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
    /// Its name, from which it can be made again: the ingredients in their order, without those that add nothing, such as a pool beside
    /// an agent that dies.
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
        let mut there = Vec::new();
        for word in name.split('+').filter(|word| *word != ALONE) {
            let place = INGREDIENTS.iter().position(|ingredient| ingredient.name == word);
            there.push(place.ok_or_else(|| ScenarioError::Unknown(word.to_owned()))?);
        }
        there.sort_unstable();
        let scene = scene_of(&there);
        let most = [
            ("child", u32::from(scene.script.subtasks)),
            ("message", scene.messages),
            ("question", u32::from(scene.script.questions)),
            ("disk", scene.failures),
            ("kill", scene.kills),
        ];
        if let Some((word, _)) = most.into_iter().find(|(_, times)| *times > 2) {
            return Err(ScenarioError::TooOften(word));
        }
        let mut at = 0;
        while at < there.len() {
            let mut rest = there.clone();
            rest.remove(at);
            if scene_of(&rest) == scene {
                there = rest;
            } else {
                at += 1;
            }
        }
        let words: Vec<&str> = there.iter().map(|place| INGREDIENTS[*place].name).collect();
        let name = if words.is_empty() { ALONE.to_owned() } else { words.join("+") };
        Ok(Self { name, scene })
    }
}

/// What may happen with these ingredients, given by place.
fn scene_of(places: &[usize]) -> Scene {
    let mut scene = Scene::default();
    for place in places {
        (INGREDIENTS[*place].add)(&mut scene);
    }
    scene
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
