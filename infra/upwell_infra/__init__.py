"""The infrastructure of upwell as CDK constructs."""
