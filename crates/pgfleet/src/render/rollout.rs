//! Where a rollout is, for people: one line a wave, and who failed.

use pgfleet_core::fleet::{RolloutState, WaveCounts};
use pgfleet_engine::fleet::rollout::{Manifest, ManifestTarget};

use super::style::{Role, Style};
use super::text::{clean_line, counted, cut, grouped};

/// Failed targets that are named.
const NAMED_MAX: usize = 20;

/// State, waves, failed targets.
pub fn rollout(out: &mut String, style: &Style, manifest: &Manifest, control: &str) {
    let rollout = &manifest.rollout;
    let role = match rollout.state {
        RolloutState::Done => Role::Good,
        RolloutState::Halted | RolloutState::TakenBack | RolloutState::Aborted => Role::Bad,
        _ => Role::Doubtful,
    };
    let state = style.paint(role, &rollout.state.name().replace('_', " "));
    let count = counted(manifest.targets.len(), "target");
    let group = style.paint(Role::Strong, &clean_line(&rollout.group));
    out.push_str(&format!("rollout of {group}: {state}, {count}, began {}\n", rollout.began_at));
    for (number, wave) in manifest.waves.iter().enumerate() {
        out.push_str(&format!("  wave {}: {}\n", number + 1, words(style, wave)));
    }
    let leased = manifest.targets.iter().filter(|target| target.leased).count();
    if leased > 0 {
        out.push_str(&format!("  {} being worked on right now\n", counted(leased, "target")));
    }
    failed(out, style, &manifest.targets);
    let line = format!("  {} in {}", clean_line(&rollout.rollout_id), clean_line(control));
    out.push_str(&style.paint(Role::Faint, &line));
    out.push('\n');
}

fn words(style: &Style, wave: &WaveCounts) -> String {
    let parts = [
        (wave.waiting, "waiting", Role::Note),
        (wave.running, "running", Role::Doubtful),
        (wave.done, "done", Role::Good),
        (wave.failed, "failed", Role::Bad),
        (wave.taken_back, "taken back", Role::Doubtful),
        (wave.stuck, "could not be taken back", Role::Bad),
    ];
    let parts = parts.into_iter().filter(|(count, ..)| *count > 0);
    let parts: Vec<_> = parts
        .map(|(count, word, role)| style.paint(role, &format!("{} {word}", grouped(count))))
        .collect();
    let gate = if wave.passed { ", passed" } else { "" };
    format!("{}{gate}", parts.join(", "))
}

fn failed(out: &mut String, style: &Style, targets: &[ManifestTarget]) {
    let is_bad = |target: &&ManifestTarget| matches!(target.state.as_str(), "failed" | "stuck");
    let bad: Vec<_> = targets.iter().filter(is_bad).collect();
    for target in bad.iter().take(NAMED_MAX) {
        let glyph = style.paint(Role::Bad, style.glyph("✘", "!!"));
        let room = style.width.saturating_sub(8);
        let line = format!("{}: {}", clean_line(&target.target), clean_line(&target.headline));
        out.push_str(&format!("    {glyph} {}\n", cut(&line, room, style.glyph("…", "..."))));
    }
    if bad.len() > NAMED_MAX {
        out.push_str(&format!("    and {} more\n", grouped(bad.len() - NAMED_MAX)));
    }
}
