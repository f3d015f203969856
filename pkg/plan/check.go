package plan

import "spock.dev/spock/pkg/render"

// Check says what is wrong with a product and its templates for every environment that
// could be made of them: names, values, expressions, shapes and cycles, by the very code
// that plans. What a class or an environment may still say is not missing, and files that
// stand outside of the templates are not read. Its error joins a sentence for each. The
// input is a render.Draft.
func Check(in render.Input) (*Plan, error) {
	rendered, err := render.Product(in)
	if err != nil {
		return nil, err
	}
	return Compute(Input{Product: in.Product, Rendered: rendered, Environment: in.Environment})
}
