//! What goes wrong in a run, and when: each thing in turn, and combinations chosen by a seed.

use super::runner;
use super::seed::Seed;
use super::shape::{Shape, Wanted};

/// The forms of sites that seeds choose from: to plan one takes longer than to run it.
const SHAPES: usize = 40;

/// How far an act comes that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Nothing of it is done.
    NotAtAll,
    Half,
    /// All of it is done, and said to have failed.
    Wholly,
    /// The line is cut in the middle, and what was begun goes on by itself.
    CutOff,
}

impl How {
    pub(crate) const ALL: [Self; 4] = [Self::NotAtAll, Self::Half, Self::Wholly, Self::CutOff];
}

/// When a runner dies, seen from an entry of its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the act that the entry announces.
    Before,
    /// In the middle of it; what was begun on the host goes on by itself.
    Midway,
    /// After it, before the next entry.
    After,
}

impl When {
    pub(crate) const ALL: [Self; 3] = [Self::Before, Self::Midway, Self::After];
}

/// What visitors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visitors {
    None,
    /// One writes before each step.
    Some,
    /// One writes at each moment when nobody tells them to wait.
    Many,
}

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) shape: Shape,
    pub(crate) isolate: bool,
    pub(crate) visitors: Visitors,
    /// (attempt, step, how): these fail; steps are counted from 0 and past the last one from there again.
    pub(crate) fails: Vec<(usize, usize, How)>,
    /// (attempt, step): these acts are done twice.
    pub(crate) twice: Vec<(usize, usize)>,
    /// The runner dies.
    pub(crate) dies: Vec<(u64, When)>,
    /// The restores that fail, counted from the first; a `None` is good.
    pub(crate) restores: Vec<Option<How>>,
    /// Restores are done twice.
    pub(crate) restores_twice: bool,
    /// So many checks of the restored site fail.
    pub(crate) unhealthy: usize,
    /// Updates of these fail whenever they are tried: plugins by number, the core is 7.
    pub(crate) stubborn: u8,
    /// Those whose new version breaks the site in a way that only a close look shows.
    pub(crate) hidden: u8,
    /// Those that break it so, once all of them are there.
    pub(crate) pair: u8,
    /// Those whose new version breaks it in a way that shows only when everything is done.
    pub(crate) veiled: u8,
    /// After updates of these the checks fail.
    pub(crate) breaking: u8,
    /// So many recoveries don't reach the host.
    pub(crate) unreachable: usize,
    /// Who recovers is another version of the program.
    pub(crate) foreign: Option<Foreign>,
    /// Somebody else has the site's lock.
    pub(crate) taken: bool,
    /// The attempt that may not begin, counted from 1.
    pub(crate) refused: usize,
}

/// How another version is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    Format,
    Digest,
}

impl Case {
    pub(crate) fn plain(shape: Shape) -> Self {
        Self {
            shape,
            isolate: false,
            visitors: Visitors::Some,
            fails: Vec::new(),
            twice: Vec::new(),
            dies: Vec::new(),
            restores: Vec::new(),
            restores_twice: false,
            unhealthy: 0,
            stubborn: 0,
            hidden: 0,
            pair: 0,
            veiled: 0,
            breaking: 0,
            unreachable: 0,
            foreign: None,
            taken: false,
            refused: 0,
        }
    }

    /// Any case.
    pub(crate) fn random(number: u64) -> Self {
        let mut seed = Seed::new(number);
        let seed = &mut seed;
        let mut case = Self::plain(Shape::random(&mut Seed::new(seed.below(SHAPES) as u64)));
        case.isolate = seed.one_in(2);
        case.visitors = *seed.one_of(&[Visitors::None, Visitors::Some, Visitors::Many]);
        for _ in 0..seed.below(3) {
            case.fails.push((1 + seed.below(2), seed.below(24), *seed.one_of(&How::ALL)));
        }
        for _ in 0..seed.below(2) {
            case.twice.push((1, seed.below(24)));
        }
        for _ in 0..seed.below(4) {
            case.dies.push((1 + seed.below(60) as u64, *seed.one_of(&When::ALL)));
        }
        for _ in 0..seed.below(5) {
            let how = *seed.one_of(&How::ALL);
            case.restores.push((!seed.one_in(3)).then_some(how));
        }
        case.restores_twice = seed.one_in(8);
        case.unhealthy = if seed.one_in(16) { 1 + seed.below(3) } else { 0 };
        let some =
            |seed: &mut Seed, one_in: usize| -> u8 { (0..8).filter(|_| seed.one_in(one_in)).map(|bit| 1 << bit).sum() };
        case.stubborn = if seed.one_in(3) { some(seed, 4) } else { 0 };
        case.breaking = if seed.one_in(3) { some(seed, 4) } else { 0 };
        case.hidden = if seed.one_in(6) { some(seed, 2) } else { 0 };
        case.pair = if seed.one_in(6) { some(seed, 3) } else { 0 };
        case.veiled = if seed.one_in(6) { some(seed, 2) } else { 0 };
        case.unreachable = if seed.one_in(6) { 1 + seed.below(3) } else { 0 };
        case.foreign = seed.one_in(6).then(|| *seed.one_of(&[Foreign::Format, Foreign::Digest]));
        case.taken = seed.one_in(40);
        case.refused = if seed.one_in(12) { 1 + seed.below(3) } else { 0 };
        case
    }
}

/// Each thing in turn, for each of the chosen sites.
pub(crate) fn in_turn() -> Vec<Case> {
    let mut cases = Vec::new();
    for shape in Shape::chosen() {
        for (isolate, visitors) in [(false, Visitors::None), (true, Visitors::Many)] {
            let plain = Case { isolate, visitors, ..Case::plain(shape) };
            cases.push(plain.clone());
            cases.extend(steps(&plain));
            cases.extend(cuts(&plain, &When::ALL));
            cases.extend(one_by_one(&plain));
        }
        let plain = Case { isolate: true, visitors: Visitors::Many, ..Case::plain(shape) };
        cases.extend(restores(&plain));
        cases.extend(two_cuts(&plain));
    }
    cases
}

/// Each step fails, in each way, and each is done twice.
fn steps(plain: &Case) -> Vec<Case> {
    let count = plain.shape.procedure().steps.len();
    let fails = (0..count).flat_map(|step| How::ALL.map(|how| Case { fails: vec![(1, step, how)], ..plain.clone() }));
    let twice = (0..count).map(|step| Case { twice: vec![(1, step)], ..plain.clone() });
    fails.chain(twice).collect()
}

/// The journal is cut after each entry of the run that this case gives.
fn cuts(plain: &Case, whens: &[When]) -> Vec<Case> {
    let entries = runner::entries(plain);
    (1..=entries)
        .flat_map(|entry| whens.iter().map(move |when| (entry, *when)))
        .map(|cut| Case { dies: [plain.dies.clone(), vec![cut]].concat(), ..plain.clone() })
        .collect()
}

/// The journal is cut twice, at all pairs of entries that are not far from each other.
fn two_cuts(plain: &Case) -> Vec<Case> {
    let broken = failing_late(plain);
    let firsts = cuts(&broken, &[When::Midway]).into_iter().chain(cuts(plain, &[When::After]));
    firsts
        .flat_map(|case| {
            let first = case.dies[0].0;
            let second = move |(number, gap)| (first + gap, When::ALL[number % 3]);
            let seconds = [1, 2, 3, 5, 8, 13].into_iter().enumerate().map(second);
            seconds.map(move |second| Case { dies: vec![case.dies[0], second], ..case.clone() })
        })
        .collect()
}

/// The same with a step that fails when nearly everything is done.
fn failing_late(plain: &Case) -> Case {
    let count = plain.shape.procedure().steps.len();
    match plain.shape.wanted {
        Wanted::Update => Case { fails: vec![(1, count.saturating_sub(3), How::Half)], ..plain.clone() },
        _ => plain.clone(),
    }
}

/// Restores fail in each way and order, are cut, and are done twice.
fn restores(plain: &Case) -> Vec<Case> {
    let late = failing_late(plain);
    let mut cases = Vec::new();
    let mut lists: Vec<Vec<Option<How>>> = vec![Vec::new()];
    for _ in 0..4 {
        let longer = lists.iter().flat_map(|list| How::ALL.map(|how| [list.clone(), vec![Some(how)]].concat()));
        lists = [vec![Vec::new()], longer.collect()].concat();
    }
    cases.extend(lists.into_iter().map(|restores| Case { restores, ..late.clone() }));
    cases.push(Case { restores_twice: true, ..late.clone() });
    for how in How::ALL {
        cases.extend(cuts(&Case { restores: vec![Some(how)], ..late.clone() }, &[When::Midway]));
    }
    cases.extend((1..3).map(|unhealthy| Case { unhealthy, ..late.clone() }));
    cases
}

/// What can be wrong from outside, each by itself, with a cut where it needs one.
fn one_by_one(plain: &Case) -> Vec<Case> {
    let mut cases = vec![Case { taken: true, ..plain.clone() }];
    cases.extend((1..4).map(|refused| Case { refused, breaking: 0b10, ..plain.clone() }));
    for bit in (0..plain.shape.plugins).chain([7]) {
        cases.push(Case { stubborn: 1 << bit, ..plain.clone() });
        cases.push(Case { breaking: 1 << bit, ..plain.clone() });
        cases.push(Case { hidden: 1 << bit, ..plain.clone() });
        cases.push(Case { veiled: 1 << bit, ..plain.clone() });
    }
    cases.push(Case { breaking: 0xff, ..plain.clone() });
    for foreign in [Foreign::Format, Foreign::Digest] {
        cases.extend(cuts(&Case { foreign: Some(foreign), ..plain.clone() }, &[When::Midway]));
    }
    cases.extend(cuts(&Case { unreachable: 2, ..plain.clone() }, &[When::Midway]));
    cases
}
