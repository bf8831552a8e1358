//! Which Job is meant by a word.

use super::RunRow;

/// What a word names.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// This one.
    One(&'a RunRow),
    /// Nothing.
    None,
    /// The beginning of several names.
    Several(Vec<&'a RunRow>),
}

/// By name of the Job, name of the pod or id of the run, whole or a beginning that only one has. Of several attempts of
/// one run the newest is meant. The cluster keeps names apart, and any Job may claim to be of any run: so names come first.
#[must_use]
pub fn find<'a>(rows: &'a [RunRow], word: &str) -> Found<'a> {
    let names =
        |row: &'a RunRow| [Some(row.job.as_str()), row.run.as_deref(), row.pod.as_deref()].into_iter().flatten();
    let by_name = |row: &&RunRow| row.job == word || row.pod.as_deref() == Some(word);
    let by_run = |row: &&RunRow| row.run.as_deref() == Some(word);
    if let Some(row) = rows.iter().find(by_name).or_else(|| rows.iter().find(by_run)) {
        return Found::One(row);
    }
    let begun: Vec<&RunRow> = rows.iter().filter(|row| names(row).any(|name| name.starts_with(word))).collect();
    let same_run = begun.windows(2).all(|pair| pair[0].run.is_some() && pair[0].run == pair[1].run);
    match begun.as_slice() {
        [] => Found::None,
        [newest, ..] if same_run => Found::One(newest),
        _ => Found::Several(begun),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::{RunStatus, row::RunRow, tail::Heard};
    use super::*;

    fn row(job: &str, run: &str, pod: &str) -> RunRow {
        RunRow {
            namespace: "n".into(),
            job: job.into(),
            uid: job.into(),
            agent: None,
            agent_name: None,
            task: None,
            run: Some(run.into()),
            state: RunStatus::Running,
            queue: None,
            created_at: Some(Timestamp::UNIX_EPOCH),
            age_seconds: None,
            pod: Some(pod.into()),
            node: None,
            exit_code: None,
            heard: Heard::default(),
        }
    }

    fn named(rows: &[RunRow], word: &str) -> Result<String, usize> {
        match find(rows, word) {
            Found::One(row) => Ok(row.job.clone()),
            Found::None => Err(0),
            Found::Several(rows) => Err(rows.len()),
        }
    }

    #[test]
    fn a_job_is_found_by_any_of_its_names_and_by_a_beginning_that_is_clear() {
        let rows = [
            row("ac-a-1-r2", "run-1", "ac-a-1-r2-x"),
            row("ac-a-1", "run-1", "ac-a-1-y"),
            row("ac-b", "run-2", "ac-b-z"),
        ];
        assert_eq!(named(&rows, "ac-a-1"), Ok("ac-a-1".into()), "a whole name wins over a beginning");
        assert_eq!(named(&rows, "run-1"), Ok("ac-a-1-r2".into()), "the newest attempt");
        assert_eq!(named(&rows, "ac-a-1-y"), Ok("ac-a-1".into()));
        assert_eq!(named(&rows, "ac-b"), Ok("ac-b".into()));
        assert_eq!(named(&rows, "run-"), Err(3));
        assert_eq!(named(&rows, "x"), Err(0));
    }

    #[test]
    fn tru_24_a_job_that_claims_another_ones_name_as_its_run_is_not_taken_for_it() {
        let rows =
            [row("ac-evil", "ac-a-1", "ac-evil-x"), row("ac-f", "ac-a-1-y", "ac-f-x"), row("ac-a-1", "r", "ac-a-1-y")];
        assert_eq!(named(&rows, "ac-a-1"), Ok("ac-a-1".into()));
        assert_eq!(named(&rows, "ac-a-1-y"), Ok("ac-a-1".into()));
    }
}
