//! Tests of the module: golden pages for every outcome and language, hostile texts, locales.

mod golden;
mod hostile;
mod locales;
mod stories;
mod story;
