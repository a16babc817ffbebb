//! The kinds of an enum of actions: their names and their numbers.

use downbeat_sim::kinds::Kinds;

#[derive(Kinds)]
enum Act {
    ReceivePrepared(()),
    #[kinds(nested)]
    Worker(WorkerAct),
    RetryHTTPRequest,
    #[kinds(nested)]
    Network {
        act: NetworkAct,
    },
    Stop {
        _worker: u8,
        _now: bool,
    },
}

#[derive(Kinds)]
enum WorkerAct {
    Crash,
    r#Return,
}

#[derive(Kinds)]
enum NetworkAct {
    DropV2Message,
    #[kinds(nested)]
    Worker(WorkerAct),
}

#[test]
fn action_has_the_kind_of_its_variant() {
    #[rustfmt::skip]
    let cases = [
        (Act::ReceivePrepared(()),                                           "receive prepared"),
        (Act::Worker(WorkerAct::Crash),                                      "crash"),
        (Act::Worker(WorkerAct::Return),                                     "return"),
        (Act::RetryHTTPRequest,                                              "retry http request"),
        (Act::Network { act: NetworkAct::DropV2Message },                    "drop v2 message"),
        (Act::Network { act: NetworkAct::Worker(WorkerAct::Crash) },         "crash"),
        (Act::Network { act: NetworkAct::Worker(WorkerAct::Return) },        "return"),
        (Act::Stop { _worker: 1, _now: true },                               "stop"),
    ];
    let names: Vec<_> = cases.iter().map(|(_, name)| *name).collect();
    assert_eq!((Act::names(), Act::COUNT), (names, cases.len()));
    for (number, (act, name)) in cases.iter().enumerate() {
        assert_eq!(act.kind(), number, "{name}");
    }
}
