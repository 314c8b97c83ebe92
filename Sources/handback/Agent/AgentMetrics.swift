internal import HandbackCore
internal import HandbackLinux

/// The agent's figures in the text format of Prometheus, as node_exporter's textfile collector takes
/// it (https://prometheus.io/docs/instrumenting/exposition_formats/).
enum AgentMetrics {
  static func text(
    _ tally: JournalTally, _ backlog: Backlog, reach: Reach, nextTryBootMilliseconds: Int64?
  ) -> Text {
    var text: Text = ""
    text += "# HELP handback_deactivations Deactivations in the journal, by state.\n"
    text += "# TYPE handback_deactivations gauge\n"
    add("pending", tally.pending, to: &text)
    add(Ending.deactivated.name, tally.deactivated, to: &text)
    add(Ending.rejected.name, tally.rejected, to: &text)
    add(Ending.withdrawn.name, tally.withdrawn, to: &text)
    add(Ending.damaged.name, tally.damaged, to: &text)
    if let seconds = tally.oldestQueuedAtSeconds {
      gauge("oldest_pending_timestamp_seconds", "When the oldest pending one was queued.", &text)
      text += "handback_oldest_pending_timestamp_seconds \(seconds)\n"
    }
    gauge("network_reach", "0: no route, 1: to neighbours, 2: a default route.", &text)
    text += "handback_network_reach \(reach.rawValue)\n"
    gauge("waiting", "1 for what the next try waits for.", &text)
    text += "handback_waiting{reason=\"\(Words.name(backlog.reason))\"} 1\n"
    if let next = nextTryBootMilliseconds {
      gauge("next_try_uptime_seconds", "When the next try is due, on the boot-time clock.", &text)
      text += "handback_next_try_uptime_seconds \(next / 1000)\n"
    }
    return text
  }

  private static func gauge(_ name: Literal, _ help: Literal, _ text: inout Text) {
    text += "# HELP handback_\(name) \(help)\n# TYPE handback_\(name) gauge\n"
  }

  private static func add(_ state: Literal, _ count: Int64, to text: inout Text) {
    text += "handback_deactivations{state=\"\(state)\"} \(count)\n"
  }
}
