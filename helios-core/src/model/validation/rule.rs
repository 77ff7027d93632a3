//! The rules, by name and number.

wire_enum! {
    /// A rule that a job can break. Written as its number; the numbers stay, whatever is added.
    ///
    /// `V` rules are those of every Helios master. `L` rules are limits that keep one job from
    /// taking more of a master or its store than is fair.
    #[non_exhaustive]
    Rule, "a validation rule", "use a number such as V03 or L01";
    {
        /// The name is empty.
        NameMissing = "V02",
        /// The name has other characters than letters, digits, `-`, `_` and `.`.
        NameCharacters = "V03",
        /// The version is empty.
        VersionMissing = "V05",
        /// The version has other characters than letters, digits, `-`, `_` and `.`.
        VersionCharacters = "V06",
        /// The id carries no hash.
        HashMissing = "V08",
        /// The hash is not that of the job's content.
        HashMismatch = "V10",
        /// There is no image.
        ImageMissing = "V11",
        /// The image ends in the colon that announces a tag.
        TagEmpty = "V12",
        /// The tag of the image is malformed.
        TagMalformed = "V13",
        /// The image ends in the `@` that announces a digest.
        DigestEmpty = "V14",
        /// The digest of the image is malformed.
        DigestMalformed = "V15",
        /// The image has a registry but no repository, or a URL scheme.
        RepositoryMissing = "V16",
        /// The registry's name in the image is neither a domain name nor an address.
        RegistryMalformed = "V17",
        /// The registry's port in the image is no port.
        RegistryPort = "V18",
        /// A part of the repository's name is malformed.
        RepositoryMalformed = "V19",
        /// The repository's name is too long.
        RepositoryTooLong = "V20",
        /// The container's host name is malformed.
        Hostname = "V21",
        /// Two ports claim the same port of the host.
        ExternalPortTwice = "V22",
        /// The protocol of a port is neither `tcp` nor `udp`.
        PortProtocol = "V23",
        /// The port inside the container is out of range.
        InternalPort = "V24",
        /// The port of the host is out of range.
        ExternalPort = "V25",
        /// The name of a port is empty or has white space.
        PortName = "V26",
        /// A registration has no ports member.
        RegistrationWithoutPorts = "V27",
        /// A registration names a port that the job does not have.
        RegistrationUnknownPort = "V28",
        /// The name of a registration is malformed.
        RegistrationName = "V29",
        /// The container path of a volume is not absolute.
        VolumeNotAbsolute = "V30",
        /// The source of a volume is a relative path.
        VolumeSource = "V31",
        /// The container path of a volume is `/` or has a malformed suffix.
        VolumePath = "V32",
        /// The job expires in the past.
        Expired = "V33",
        /// A health check by command has no command.
        CheckWithoutCommand = "V34",
        /// A health check by port has no port.
        CheckWithoutPort = "V35",
        /// A health check names a port that the job does not have.
        CheckUnknownPort = "V36",
        /// The network mode is not one that is known.
        NetworkMode = "V37",
        /// A Linux capability that this master does not allow is added.
        CapabilityNotAllowed = "V38",
        /// The mount point of a ramdisk is not absolute.
        RamdiskNotAbsolute = "V39",
        /// A ramdisk and a volume have the same mount point.
        RamdiskOnVolume = "V40",
        /// A grace period is combined with a fixed port of the host.
        GracePeriodWithExternalPort = "V41",
        /// The job's JSON text is too long.
        JobTooLong = "L01",
        /// A map or list has too many entries.
        TooManyEntries = "L02",
        /// A text is too long.
        TextTooLong = "L03",
        /// Name and version together are too long.
        IdTooLong = "L04",
    }
}
