//! The view in pictures, and that no order of events and no text breaks it.

use std::time::Duration;

use proptest::prelude::*;
use trainyard_provider::engine::Event;
use trainyard_provider::{Progress, QueueNodes, Resource, Resources};

use super::draw::{Size, draw};
use super::line::{Line, Tone};
use super::run::Run;
use super::{Columns, Region};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn begin() -> Event {
    Event::Begin { cluster: "p5".to_owned(), steps: 4, expected_seconds: 1200 }
}

fn started(step: &str, title: &str, number: usize, expected_seconds: u64) -> Event {
    Event::Started { step: step.to_owned(), title: title.to_owned(), number, of: 4, expected_seconds }
}

fn progress(step: &str, progress: Progress) -> Event {
    Event::Progress { step: step.to_owned(), progress }
}

fn done(step: &str, seconds: f64) -> Event {
    Event::Done { step: step.to_owned(), seconds }
}

fn queue(name: &str, asked: u32, running: u32, idle: Option<u32>) -> QueueNodes {
    QueueNodes { name: name.to_owned(), asked, running, ready: idle, idle }
}

/// The life of a cluster, with the moments at which somebody looks.
fn life() -> Vec<(u64, Event)> {
    let working = |done: usize, of: Option<usize>, names: &[&str]| Resources {
        done,
        of,
        in_progress: (names.iter().zip([64, 9].into_iter().cycle()))
            .map(|(name, seconds)| Resource { name: (*name).to_owned(), seconds })
            .collect(),
    };
    let network = Progress {
        resources: Some(working(14, Some(21), &["NatGateway (EC2 NatGateway)", "S3Endpoint (EC2 VPCEndpoint)"])),
        ..Progress::from("14 resources done; working on NatGateway (EC2 NatGateway), S3Endpoint (EC2 VPCEndpoint)")
    };
    let many: Vec<String> = (1..=7).map(|number| format!("ComputeNode{number} (EC2 LaunchTemplate)")).collect();
    let head = Progress {
        resources: Some(working(61, None, &many.iter().map(String::as_str).collect::<Vec<_>>())),
        ..Progress::from("head set-up 3/5: configures Slurm; 2 compute nodes run")
    }
    .at("head set-up 3/5: configures Slurm")
    .with_queues([queue("train", 4, 2, None), queue("inference-with-a-long-name", 64, 0, None)]);
    let nodes = Progress::from("train: 2 ready, 4 of 4 run")
        .at("nodes come")
        .with_queues([queue("train", 4, 4, Some(2)), queue("検証", 8, 1, Some(0))]);
    vec![
        (0, begin()),
        (
            0,
            Event::Skipped {
                step: "data".to_owned(),
                title: "Make the stack p5-data".to_owned(),
                expected_seconds: 60,
            },
        ),
        (0, started("network", "Make the stack p5-network: VPC, subnets, gateways, security groups", 2, 180)),
        (72, progress("network", network)),
        (190, done("network", 190.4)),
        (190, started("cluster", "Make the cluster p5 with ParallelCluster 3.16.1", 3, 600)),
        (382, progress("cluster", head)),
        (830, done("cluster", 640.0)),
        (830, started("nodes", "Wait until every static node takes jobs", 4, 360)),
        (1300, progress("nodes", nodes)),
    ]
}

/// What a terminal of that width shows at that moment, with what stays above the view.
fn picture(width: usize, looks: &[u64]) -> String {
    let (mut run, mut said, mut pictures) = (Run::default(), Vec::new(), Vec::new());
    let mut events = life().into_iter().peekable();
    for look in looks {
        while let Some((at, event)) = events.next_if(|(at, _)| at <= look) {
            said.extend(run.hear(&event, seconds(at)));
        }
        let above = said.iter().map(|said| said.line(width));
        let lines: Vec<String> =
            above.chain(draw(&run, Size { width, height: 24 }, seconds(*look))).map(|line| line.text()).collect();
        pictures.push(format!("after {look} s\n{}\n", lines.join("\n")));
    }
    pictures.join("\n")
}

#[test]
fn the_view_at_100_columns() {
    insta::assert_snapshot!(picture(100, &[75, 400, 1310]));
}

#[test]
fn the_view_at_80_columns() {
    insta::assert_snapshot!(picture(80, &[75, 400, 1310]));
}

#[test]
fn the_view_at_40_columns() {
    insta::assert_snapshot!(picture(40, &[75, 400, 1310]));
}

#[test]
fn a_low_terminal_keeps_the_title_and_the_nodes_rather_than_resources() {
    let mut run = Run::default();
    for (at, event) in life().into_iter().take_while(|(at, _)| *at < 800) {
        run.hear(&event, seconds(at));
    }
    let text = |height: usize| {
        draw(&run, Size { width: 80, height }, seconds(400)).iter().map(Line::text).collect::<Vec<_>>().join("\n")
    };
    assert!(text(8).contains("train") && text(8).contains("and 7 more"), "{}", text(8));
    assert!(text(7).contains("train") && !text(7).contains("ComputeNode"), "{}", text(7));
    for height in 0..30 {
        assert!(text(height).lines().count() < height.max(1), "{height}: {}", text(height));
    }
}

#[test]
fn a_step_that_failed_stays_in_sight_with_what_it_means() {
    let mut run = Run::default();
    let failed =
        |required| Event::Failed { step: "s".to_owned(), required, causes: vec!["no".to_owned(), "why".to_owned()] };
    let mut said = Vec::new();
    for required in [true, false] {
        run.hear(&started("s", "Make it", 1, 10), seconds(0));
        said.extend(run.hear(&failed(required), seconds(3)).iter().map(|said| said.line(60).text()));
    }
    assert_eq!(said, ["  ✗ [1/4] Make it (not done)", "  ! [1/4] Make it (failed)", "    went on without it: no: why"]);
}

#[test]
fn a_drawing_covers_the_one_before_it_also_where_that_was_broken_into_more_rows() {
    let line = |text: &str| Line::new(Tone::Plain, text);
    let (mut region, wide) = (Region::default(), Columns { width: 80, colour: false });
    assert_eq!(region.redraw(&[], &[line("one"), line("two")], wide), "\rone\x1b[K\ntwo\x1b[K\n");
    let narrow = Columns { width: 2, colour: false };
    assert_eq!(region.redraw(&[line("said")], &[line("x")], narrow), "\x1b[4A\rsaid\x1b[K\nx\x1b[K\n\x1b[J");
    assert_eq!(region.redraw(&[], &[], wide), "\x1b[1A\r\x1b[J");
}

#[test]
fn colour_is_left_out_where_it_is_not_wanted() {
    let line = Line::new(Tone::Good, "a").with(Tone::Plain, "b");
    assert_eq!((line.styled(true).as_str(), line.styled(false).as_str()), ("\x1b[32ma\x1b[0mb", "ab"));
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,60}",
        "\\PC{0,40}",
        any::<String>(),
        Just("\u{1b}[2J\r\n\u{202e}".to_owned()),
        Just("☎\u{fe0f}👩\u{200d}👩漢字e\u{301}".repeat(9)),
        Just("x".repeat(3000)),
    ]
}

fn queues() -> impl Strategy<Value = Vec<QueueNodes>> {
    let one = (hostile(), any::<[u32; 2]>(), any::<[Option<u32>; 2]>())
        .prop_map(|(name, [asked, running], [ready, idle])| QueueNodes { name, asked, running, ready, idle });
    prop::collection::vec(one, 0..12)
}

fn any_progress() -> impl Strategy<Value = Progress> {
    let resource = (hostile(), any::<u64>()).prop_map(|(name, seconds)| Resource { name, seconds });
    let resources = (any::<usize>(), any::<Option<usize>>(), prop::collection::vec(resource, 0..9))
        .prop_map(|(done, of, in_progress)| Resources { done, of, in_progress });
    (hostile(), prop::option::of(hostile()), prop::option::of(resources), queues())
        .prop_map(|(text, stage, resources, queues)| Progress { text, stage, resources, queues })
}

fn any_event() -> impl Strategy<Value = Event> {
    let step = || prop_oneof![Just("a".to_owned()), Just("b".to_owned()), hostile()];
    prop_oneof![
        (any::<usize>(), any::<u64>()).prop_map(|(steps, expected_seconds)| Event::Begin {
            cluster: String::new(),
            steps,
            expected_seconds
        }),
        (step(), hostile(), any::<u64>()).prop_map(|(step, title, expected_seconds)| Event::Skipped {
            step,
            title,
            expected_seconds
        }),
        (step(), hostile(), any::<[usize; 2]>(), any::<u64>()).prop_map(|(step, title, [number, of], seconds)| {
            Event::Started { step, title, number, of, expected_seconds: seconds }
        }),
        (step(), any_progress()).prop_map(|(step, progress)| Event::Progress { step, progress }),
        (step(), any::<f64>()).prop_map(|(step, seconds)| Event::Done { step, seconds }),
        (step(), any::<bool>(), prop::collection::vec(hostile(), 0..3))
            .prop_map(|(step, required, causes)| Event::Failed { step, required, causes }),
        (step(), hostile()).prop_map(|(step, because)| Event::Kept { step, because }),
        Just(Event::End),
    ]
}

proptest! {
    #[test]
    fn no_events_in_no_order_break_the_view_or_steer_the_terminal(
        events in prop::collection::vec((any_event(), any::<u32>()), 0..12),
        width in 0_usize..130,
        height in 0_usize..40,
    ) {
        let mut run = Run::default();
        for (event, at) in events {
            let now = seconds(at.into());
            let said = run.hear(&event, now);
            let above: Vec<Line> = said.iter().map(|said| said.line(width)).collect();
            let view = draw(&run, Size { width, height }, now);
            prop_assert!(view.len() <= height.saturating_sub(1));
            for line in above.iter().chain(&view) {
                let text = line.text();
                prop_assert!(console::measure_text_width(&text) <= width, "{width}: {text:?}");
                prop_assert!(!text.chars().any(char::is_control), "{text:?}");
            }
        }
    }
}
