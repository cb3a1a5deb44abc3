package jsmath

import "math"

// Functions1 are the functions of Math of one argument whose last bit is not
// fixed by the language, by name; Functions2 those of two. Read only.
var (
	Functions1 = map[string]func(float64) float64{
		"exp": Exp, "expm1": math.Expm1, "log": Log, "log1p": math.Log1p, "log2": Log2, "log10": Log10,
		"sin": Sin, "cos": Cos, "tan": Tan, "asin": Asin, "acos": Acos, "atan": Atan,
		"sinh": Sinh, "cosh": Cosh, "tanh": Tanh, "asinh": Asinh, "acosh": Acosh, "atanh": math.Atanh, "cbrt": Cbrt,
	}
	Functions2 = map[string]func(float64, float64) float64{"pow": Pow, "atan2": Atan2, "hypot": math.Hypot}
)
