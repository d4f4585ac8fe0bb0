package people

import (
	"strings"
	"sync"
)

// The passwords that are tried first, here and elsewhere: made by rule out of words that we know, for this place and this house, and never
// copied from a list. They are held without case, spaces and signs, and with the usual digits read as letters.
var (
	commonWords = []string{"password", "katasandi", "sandi", "rahasia", "admin", "administrator", "operator", "dispatcher", "supervisor", "petugas", "komando", "commandcenter",
		"kentongan", "indonesia", "merdeka", "pancasila", "garuda", "nusantara", "solok", "arosuka", "minangkabau", "sumatera", "sumaterabarat", "padang", "bandung", "jakarta", "surabaya",
		"singkarak", "kabupaten", "pemkab", "pemda", "diskominfo", "kominfo", "bpbd", "damkar", "polres", "dinkes", "dishub", "satpolpp", "bupati", "smartcity", "welcome", "selamatdatang",
		"selamatpagi", "bismillah", "alhamdulillah", "assalamualaikum", "qwerty", "qwertyuiop", "asdfghjkl", "zxcvbnm", "letmein", "iloveyou", "akucintakamu", "sayangku", "sayang", "cinta",
		"changeme", "default", "ganti", "gantisandi", "sunshine", "princess", "football", "baseball", "dragon", "monkey", "master", "superman", "batman", "trustno", "login", "guest", "server",
		"computer", "komputer", "internet", "secret", "test", "testing", "user", "pengguna", "doraemon", "naruto", "persib", "persija", "semenpadang"}
	commonTails = []string{"", "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "2020", "2021", "2022", "2023", "2024", "2025", "2026", "2027",
		"01", "007", "17845", "17081945", "1945", "111", "1111", "000", "0000", "321", "4321", "54321", "abc", "abcd", "qwerty", "jaya", "aman", "baru", "oke"}
	commonRuns = "01234567890123456789 98765432109876543210 abcdefghijklmnopqrstuvwxyz zyxwvutsrqponmlkjihgfedcba qwertyuiopasdfghjklzxcvbnm 1qaz2wsx3edc4rfv5tgb6yhn7ujm 1q2w3e4r5t6y7u8i9o0p"
)

var commonAll = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, w := range commonWords {
		for _, t := range commonTails {
			all[squeeze(w+t)] = true
			all[squeeze(t+w)] = true
			all[squeeze(w+w+t)] = true
		}
	}
	return all
})

// common tells a password of the list, the same word several times, or a run of the keyboard.
func common(password string) bool {
	s := squeeze(password)
	if commonAll()[s] {
		return true
	}
	low := strings.ToLower(password)
	for run := range strings.FieldsSeq(commonRuns) {
		if strings.Contains(run+run, low) {
			return true
		}
	}
	for n := 1; n <= len(s)/3; n++ { // abcabcabcabc
		if len(s)%n == 0 && strings.Repeat(s[:n], len(s)/n) == s {
			return true
		}
	}
	return false
}

var leet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// squeeze brings a text into the form in which it is held against the list.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, leet.Replace(strings.ToLower(s)))
}
