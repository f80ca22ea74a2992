output "store" {
  description = "COUNTERPOINT_STORE of the deployment."
  value       = var.prefix == "" ? "s3://${var.bucket}" : "s3://${var.bucket}/${var.prefix}"
}

output "roles" {
  description = "ARNs of the roles."
  value       = { for name, role in aws_iam_role.store : name => role.arn }
}
