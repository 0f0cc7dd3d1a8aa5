package serverrun

// warnOfDescriptors: Windows has no such limit.
func (s *server) warnOfDescriptors(*Options) {}
