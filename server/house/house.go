// Package house is the plan of the house held against the house: nothing but tests.
package house
