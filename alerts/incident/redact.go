package incident

// Redacted gives the subject of a machine as it is, and of a person only that it was one.
func Redacted(subject string) string { return nobody(subject) }

// TypeName is the name of a type in Indonesian, as titles have it; the code where the table does not know it.
func TypeName(code string) string { return typeName(code) }
