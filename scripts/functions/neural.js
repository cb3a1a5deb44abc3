// A small feed-forward network with logistic units over stored weights.
//@ set "w" f64[1,-1,0.5,2,0.25,-0.5]
//@ call out [[1,2]] = "0.63686"
export function out(x) {
  const w = store.f64('w');
  const unit = (i) => 1 / (1 + Math.exp(-(w[i] * x[0] + w[i + 1] * x[1])));
  return (1 / (1 + Math.exp(-(w[4] * unit(0) + w[5] * unit(2) + 1 * unit(2))))).toFixed(5);
}
