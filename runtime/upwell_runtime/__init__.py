"""What runs on AWS: the composition root, the Lambda handlers, the Fargate worker, and the sandbox."""
