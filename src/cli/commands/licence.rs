//! `intendant licence`: the pools of licences, and who has a seat in them.

use crate::cli::arguments::{Common, Licence, LicenceAction, NewPool, SeatOf};
use crate::cli::fleet::{Fleet, who};
use crate::cli::licences::Change;
use crate::cli::{ExitCode, Failure, show};
use crate::journal::Journal as _;
use crate::ledger::{Decision, Entered, LicenceChange};
use crate::model::{LicenceProblem, PlainArgument, SiteName, clean_line};
use crate::plan::{Activation, BY_COMMAND, KeyReference, LicencePool, SettingName, Tag};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::str::FromStr;

pub(in crate::cli) async fn licence(common: &Common, options: &Licence) -> Result<ExitCode, Failure> {
    let fleet = Fleet::open(common)?;
    match &options.action {
        None | Some(LicenceAction::List) => list(&fleet, common).await,
        Some(LicenceAction::Add(new)) => add(&fleet, new).await,
        Some(LicenceAction::Remove { pool }) => remove(&fleet, pool).await,
        Some(LicenceAction::Assign(seat)) => assign(&fleet, seat).await,
        Some(LicenceAction::Release(seat)) => release(&fleet, seat).await,
    }
}

/// The day by which the list goes: it is of no site, so of no site's zone.
fn today() -> Date {
    Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

async fn list(fleet: &Fleet, common: &Common) -> Result<ExitCode, Failure> {
    let entered = fleet.journal().await?.ledger().await?.entered_licences();
    let today = today();
    let pools = &fleet.settings.rules.pools.pools;
    match common.json {
        true => {
            let all = pools.iter().map(|(name, pool)| described(name, pool, &entered, today));
            show::json(&json!({ "licences": 1, "day": today, "zone": "UTC", "list": all.collect::<Vec<_>>() }));
        }
        false if pools.is_empty() => {
            show::line(format!("no pool of licences in {}", fleet.settings.licences.path().display()));
        }
        false => show::line(show::table(
            ["pool", "licence", "seats", "until", "state (UTC)", "sites"],
            pools.iter().map(|(name, pool)| row(name, pool, &entered, today)),
        )),
    }
    Ok(ExitCode::OK)
}

/// A pool as JSON; where its key is stands there, never the key.
fn described(name: &Tag, pool: &LicencePool, entered: &[Entered], today: Date) -> Value {
    let here = entered.iter().filter(|one| one.pool == name.as_str());
    json!({
        "pool": name, "vendor": pool.vendor, "product": pool.product, "seats": pool.seats, "used": pool.used(),
        "until": pool.until, "offline": pool.offline, "closed": pool.closed(today), "sites": pool.sites,
        "entered": here.collect::<Vec<_>>(),
    })
}

fn row(name: &Tag, pool: &LicencePool, entered: &[Entered], today: Date) -> [String; 6] {
    let seats = pool.seats.map_or_else(|| "any".to_owned(), |seats| seats.to_string());
    let state = match pool.closed(today) {
        None => "offered",
        Some(LicenceProblem::Ended { .. }) => "ended: not offered",
        Some(LicenceProblem::OverUsed { .. }) => "over-used: not offered",
        Some(_) => "full",
    };
    let site = |site: &SiteName| {
        let mut newest = entered.iter().rev();
        let here = newest.find(|one| one.pool == name.as_str() && one.site == *site);
        let says = here.map(|one| if one.taken { " (entered)" } else { " (refused)" });
        format!("{site}{}", says.unwrap_or_default())
    };
    [
        name.to_string(),
        clean_line(&format!("{} of {}", pool.product, pool.vendor), 80),
        format!("{}/{seats}", pool.used()),
        pool.until.map_or_else(|| "for good".to_owned(), |until| until.to_string()),
        state.to_owned(),
        pool.sites.iter().map(site).collect::<Vec<_>>().join(", "),
    ]
}

async fn add(fleet: &Fleet, new: &NewPool) -> Result<ExitCode, Failure> {
    let name: Tag = argument("POOL", &new.pool)?;
    let mut change = fleet.settings.licences.change()?;
    let known = change.pools.pools.get(&name);
    if known.is_some() != new.replace {
        return Err(match known {
            Some(_) => {
                Failure::other(format!("there is a pool {name} already; --replace writes it anew, its seats stay"))
            }
            None => absent(&name),
        });
    }
    let sites = known.map(|pool| pool.sites.clone()).unwrap_or_default();
    let until: Option<Date> = new.until.as_deref().map(|day| argument("--until", day)).transpose()?;
    let key = new.key.as_deref().map(|text| argument::<KeyReference>("--key", text)).transpose()?;
    let pool = LicencePool {
        vendor: new.vendor.trim().to_owned(),
        product: new.product.trim().to_owned(),
        seats: new.seats,
        until,
        key,
        offline: new.offline,
        activate: activation(new)?,
        sites,
    };
    let (vendor, product) = (clean_line(&pool.vendor, 200), clean_line(&pool.product, 200));
    let (taken, seats) = (pool.used(), pool.seats);
    change.pools.pools.insert(name.clone(), pool);
    done(fleet, change, &name, LicenceChange::Added { vendor, product, seats, until }).await?;
    let seats = seats.map_or_else(|| "as many sites as like".to_owned(), |seats| format!("{seats} seats"));
    show::line(format!("{name}: {seats}, {taken} taken; next: intendant licence assign {name} SITE"));
    Ok(ExitCode::OK)
}

fn activation(new: &NewPool) -> Result<Option<Activation>, Failure> {
    let words = |option: &str, text: &Option<String>| -> Result<Vec<PlainArgument>, Failure> {
        let words = text.iter().flat_map(|text| text.split_whitespace());
        words.map(|word| argument::<PlainArgument>(option, word)).collect()
    };
    let (run, probe) = (words("--run", &new.run)?, words("--probe", &new.probe)?);
    let by = match (&new.by, run.is_empty()) {
        (Some(by), _) => argument::<Tag>("--by", by)?,
        (None, false) => argument::<Tag>("--run", BY_COMMAND)?,
        (None, true) => return Ok(None),
    };
    let name = new.name.as_deref().map(|name| argument::<SettingName>("--name", name)).transpose()?;
    Ok(Some(Activation { by, name, run, probe }))
}

async fn remove(fleet: &Fleet, pool: &str) -> Result<ExitCode, Failure> {
    let name: Tag = argument("POOL", pool)?;
    let mut change = fleet.settings.licences.change()?;
    let Some(gone) = change.pools.pools.remove(&name) else { return Err(absent(&name)) };
    done(fleet, change, &name, LicenceChange::Removed).await?;
    show::line(format!("{name}: removed; {} sites had a seat, and keep the key that was entered there", gone.used()));
    Ok(ExitCode::OK)
}

async fn assign(fleet: &Fleet, seat: &SeatOf) -> Result<ExitCode, Failure> {
    let name: Tag = argument("POOL", &seat.pool)?;
    // A site without a plan needs no seat.
    let plan = fleet.job(&seat.site)?.plan;
    let (site, today) = (plan.site.clone(), plan.day(Timestamp::now()));
    let mut change = fleet.settings.licences.change()?;
    let Some(pool) = change.pools.pools.get_mut(&name) else { return Err(absent(&name)) };
    let had = pool.has(&site);
    let closed = if had { pool.fault(today) } else { pool.closed(today) };
    if let Some(problem) = closed {
        return Err(Failure::other(refused(&name, &problem)));
    }
    if !had {
        pool.sites.push(site.clone());
        pool.sites.sort();
    }
    done(fleet, change, &name, LicenceChange::Assigned { site: site.clone() }).await?;
    show::line(match had {
        true => format!("{site} has a seat in {name} already; the next run tries its key again"),
        false => {
            format!("{site} has a seat in {name}; the plan says for what: licences: [{{ extension: …, from: {name} }}]")
        }
    });
    Ok(ExitCode::OK)
}

/// Why a pool is not offered.
fn refused(pool: &Tag, problem: &LicenceProblem) -> String {
    match problem {
        LicenceProblem::Ended { until } => format!(
            "the licences of {pool} ended on {until}, so they are not offered; when they are renewed: intendant licence add {pool} --replace"
        ),
        LicenceProblem::OverUsed { used, seats } => {
            format!(
                "{pool} is over-used ({used} sites, {seats} licences), so it is not offered; intendant licence release"
            )
        }
        _ => format!("no licence of {pool} is free; buy more, or: intendant licence release {pool} SITE"),
    }
}

async fn release(fleet: &Fleet, seat: &SeatOf) -> Result<ExitCode, Failure> {
    let (name, site) = (argument::<Tag>("POOL", &seat.pool)?, argument::<SiteName>("SITE", &seat.site)?);
    let mut change = fleet.settings.licences.change()?;
    let Some(pool) = change.pools.pools.get_mut(&name) else { return Err(absent(&name)) };
    if !pool.has(&site) {
        return Err(Failure::absent(format!("{site} has no seat in {name}; intendant licence lists them")));
    }
    pool.sites.retain(|one| *one != site);
    done(fleet, change, &name, LicenceChange::Released { site: site.clone() }).await?;
    show::line(format!("{site} gave its seat in {name} back; the key that was entered there is still there"));
    Ok(ExitCode::OK)
}

/// Writes a change down, then makes it.
async fn done(fleet: &Fleet, mut change: Change<'_>, pool: &Tag, what: LicenceChange) -> Result<(), Failure> {
    change.prepare()?;
    let decision = Decision::Licence { pool: pool.to_string(), change: what };
    fleet.journal().await?.decide(Timestamp::now(), &who(), &decision).await?;
    change.commit()
}

fn absent(pool: &Tag) -> Failure {
    Failure::absent(format!("there is no pool {pool}; intendant licence lists them"))
}

/// What was wrong is said without the text: it may be a key.
fn argument<T: FromStr>(what: &str, text: &str) -> Result<T, Failure>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Failure { code: ExitCode::USAGE, text: format!("{what}: {error}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Arguments;
    use clap::Parser as _;

    /// It is never the same day in both zones, so a pool that ends on the one's is over for the other.
    #[tokio::test]
    async fn the_last_day_of_a_pool_is_that_of_the_site() {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("intendant.yaml");
        std::fs::write(&settings, "settings: 1\nplans: plans\nstate: state\n").unwrap();
        std::fs::create_dir(folder.path().join("plans")).unwrap();
        for (site, zone) in [("west", "Etc/GMT+12"), ("east", "Pacific/Kiritimati")] {
            let plan = format!(
                "plan: 1\nsite: {site}\nclient: {{ name: Shop, language: en }}\ntier: base\ncms: wordpress\n\
                 url: https://shop.example/\nhost: {{ ssh: shop, path: /srv/shop }}\n\
                 windows: [{{ at: \"02:00\", for: 2h, zone: {zone} }}]\n"
            );
            std::fs::write(folder.path().join(format!("plans/{site}.yaml")), plan).unwrap();
        }
        let west = Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Etc/GMT+12").unwrap()).date();
        let pools = format!("licences: 1\npools:\n  cache: {{ vendor: V, product: P, until: {west} }}\n");
        std::fs::write(folder.path().join("licences.yaml"), pools).unwrap();
        let settings = settings.display().to_string();
        let arguments = Arguments::try_parse_from(["intendant", "--settings", &settings, "licence"]).unwrap();
        let fleet = Fleet::open(&arguments.common).unwrap();
        let seat = |site: &str| SeatOf { pool: "cache".into(), site: site.into() };
        assert!(assign(&fleet, &seat("west")).await.is_ok(), "its last day");
        let failure = assign(&fleet, &seat("east")).await.unwrap_err();
        assert!(failure.text.contains("ended on"), "{}", failure.text);
    }
}
