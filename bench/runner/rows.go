package main

// workload is what chatbench does in a row.
type workload string

const (
	workloadEcho workload = "echo"
	workloadRoom workload = "room"
	workloadIdle workload = "idle"
)

// row is one scenario. The unit "message" is an echoed packet, or a notify that a member of a room gets.
type row struct {
	Name     string
	File     string   // in the folder of the scenarios
	Options  []string // of chatbench, besides
	Workload workload
	Members  int  // of a room: how many notifies a chat leads to; otherwise 1
	Wine     bool // for Windows servers
	Batches  bool // the goal of few system calls a notify is for this row
}

// rows are all scenarios of servers on Linux, in the order of the tables.
var rows = []row{
	{Name: rowAlone, File: "echo-1x1.toml", Workload: workloadEcho, Members: 1},
	{Name: "echo-64x1", File: "echo-64x1.toml", Workload: workloadEcho, Members: 1},
	{Name: "echo-64x16", File: "echo-64x16.toml", Workload: workloadEcho, Members: 1},
	{Name: "echo-1000x1", File: "echo-1000x1.toml", Workload: workloadEcho, Members: 1},
	{Name: "room-10x100x1", File: "room-10x100x1.toml", Workload: workloadRoom, Members: 100, Batches: true},
	{Name: "room-10x100x8", File: "room-10x100x8.toml", Workload: workloadRoom, Members: 100, Batches: true},
	{Name: "room-100x10x4", File: "room-100x10x4.toml", Workload: workloadRoom, Members: 10},
	{Name: "room-1x1000x1", File: "room-1x1000x1.toml", Workload: workloadRoom, Members: 1000},
	{Name: rowNeverUsed, File: "idle.toml", Options: []string{"--in-flight", "0"}, Workload: workloadIdle},
	{Name: rowUsedOnce, File: "idle.toml", Options: []string{"--in-flight", "1"}, Workload: workloadIdle},
}

// wineRows are those of Windows servers under Wine.
var wineRows = []row{
	{Name: "echo-50x1", File: "echo-50x1.toml", Workload: workloadEcho, Members: 1, Wine: true},
	{Name: "echo-50x16", File: "echo-50x16.toml", Workload: workloadEcho, Members: 1, Wine: true},
}

// The row of one message at a time.
const rowAlone = "echo-1x1"

// The rows of memory: idle connections that never sent anything, and ones that had one echo.
const (
	rowNeverUsed = "idle-never-used"
	rowUsedOnce  = "idle-used-once"
)
