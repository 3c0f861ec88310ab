//! What was done for a client in a month: all runs of their sites, as a value, and as a page.
//!
//! May use: `document` for what one run did, `words`, `reasons`, `sections`, `outline`. Invariants: as in `report`; a month without a
//! run is told like any other; a failed run is told as plainly as a good one.

mod calendar;
mod document;
mod gather;
mod standing;
mod view;

pub use calendar::{Month, NotAMonth};
pub use document::{
    MONTH_FORMAT, MonthReport, MonthRun, MonthSite, MonthUpdate, PageTimes, RunFailure, Scope, month_json_schema,
};
pub use gather::KnownSite;
pub(super) use view::MonthView;
