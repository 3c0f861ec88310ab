//! Tests of the module as a whole: the table of verdicts, the prober and the sweep against a
//! real server on this machine.

mod judging;
mod probing;
mod server;
mod sweeping;
