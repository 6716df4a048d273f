"""The CloudFormation resource types, one module per family. Importing a module registers its types."""
