package work

// Levels are the services in the order of barriers, for an engine that has only those: each
// level may begin when all of the level before is ready. With fine needs a service is one
// level after the last one it needs, which is the best that barriers can do.
func (w Work) Levels() [][]Service {
	var levels [][]Service
	of := map[string]int{}
	for _, s := range w.Services {
		level := 0
		if !w.Fine {
			level = s.Tier
		}
		for _, need := range s.Needs {
			level = max(level, of[need]+1)
		}
		of[s.Name] = level
		for len(levels) <= level {
			levels = append(levels, nil)
		}
		levels[level] = append(levels[level], s)
	}
	return levels
}
