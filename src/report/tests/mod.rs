//! Tests of the module: golden pages for every outcome and language, hostile texts, locales.

mod anomalies;
mod audit;
mod forms;
mod golden;
mod hostile;
mod letters;
mod locales;
mod markdown;
mod months;
mod stories;
mod story;
