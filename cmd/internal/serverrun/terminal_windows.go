package serverrun

// hasTerminal: Windows tells of the closing of a console in another way.
func hasTerminal() bool { return false }
