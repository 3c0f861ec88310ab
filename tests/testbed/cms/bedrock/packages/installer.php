<?php
/** STAND-IN for composer/installers: where WordPress's extensions go. */

namespace Testbed;

use Composer\Installer\LibraryInstaller;
use Composer\Package\PackageInterface;

class INSTALLER extends LibraryInstaller {
	public function supports( string $type ) {
		return in_array( $type, array( 'wordpress-plugin', 'wordpress-theme', 'wordpress-muplugin' ), true );
	}

	public function getInstallPath( PackageInterface $package ) {
		foreach ( $this->composer->getPackage()->getExtra()['installer-paths'] ?? array() as $path => $types ) {
			if ( in_array( 'type:' . $package->getType(), $types, true ) ) {
				return rtrim( str_replace( '{$name}', substr( strrchr( $package->getName(), '/' ), 1 ), $path ), '/' );
			}
		}
		return parent::getInstallPath( $package );
	}
}
